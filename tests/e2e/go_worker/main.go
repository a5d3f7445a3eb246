// A worker in Go, for activities of workflows that are written in Python: it knows nothing of durable-trace.
//
// go-worker ADDRESS TASK_QUEUE
package main

import (
	"context"
	"log"
	"os"
	"strings"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/worker"
)

func shout(_ context.Context, text string) (string, error) {
	return strings.ToUpper(text), nil
}

func stumble(ctx context.Context, text string) (string, error) {
	if activity.GetInfo(ctx).Attempt == 1 {
		return "", temporal.NewApplicationError("stumbled over "+text, "Stumbled")
	}
	return text, nil
}

func main() {
	c, err := client.Dial(client.Options{HostPort: os.Args[1]})
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()
	w := worker.New(c, os.Args[2], worker.Options{Identity: "go-worker"})
	w.RegisterActivityWithOptions(shout, activity.RegisterOptions{Name: "shout"})
	w.RegisterActivityWithOptions(stumble, activity.RegisterOptions{Name: "stumble"})
	if err := w.Run(worker.InterruptCh()); err != nil {
		log.Fatal(err)
	}
}
