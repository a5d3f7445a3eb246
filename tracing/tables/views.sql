-- Views for DuckDB of the tables beside this file; docs/parquet.md explains each, with the same in polars.
--
--   cd tables && duckdb -init views.sql
--
-- Days are days in UTC. Replays (`durable-trace replay`) cost nothing and are no runs: they are left out.

CREATE OR REPLACE VIEW spans AS SELECT * FROM read_parquet('spans/*.parquet');
CREATE OR REPLACE VIEW steps AS SELECT * FROM read_parquet('steps/*.parquet');
CREATE OR REPLACE VIEW runs AS SELECT * FROM read_parquet('runs/*.parquet');

-- A sum of which nothing is known is null, not 0; else it is at least the sum of what is known (docs/cost.md).
CREATE OR REPLACE MACRO known_usd(usd, at_least, known_calls) AS
    CASE WHEN bool_or(at_least) AND sum(known_calls) = 0 THEN NULL ELSE sum(usd) END;

-- What each workflow type costs. Its sums are those of `durable-trace cost`.
CREATE OR REPLACE VIEW cost_by_workflow_type AS
SELECT
    workflow_type,
    count(*) AS runs,
    sum(llm_calls) AS llm_calls,
    sum(input_tokens) AS input_tokens,
    sum(output_tokens) AS output_tokens,
    known_usd(cost_usd, cost_at_least, llm_calls - unknown_cost_calls) AS cost_usd,
    bool_or(cost_at_least) AS at_least,
    sum(unknown_cost_calls) AS unknown_cost_calls,
    sum(unknown_attempts) AS unknown_attempts,
    known_usd(cost_usd, cost_at_least, llm_calls - unknown_cost_calls) / count(cost_usd) AS usd_per_run
FROM runs
WHERE replay_id IS NULL
GROUP BY workflow_type
ORDER BY cost_usd DESC NULLS LAST, workflow_type;

-- Model calls by what they cost, one row for each call that has a span; and one for each step of which sums are known
-- of calls without a span (a ledger that was full, a span that was lost): its model is null. Sums over this view are
-- those over `steps` and `runs`.
CREATE OR REPLACE VIEW model_calls AS
WITH listed AS (
    SELECT
        trace_id, run_id, step_key AS key, workflow_type, session_id, user_id, tags, start_time, provider, model,
        1 AS llm_calls,
        coalesce(input_tokens, 0) AS input_tokens,
        coalesce(output_tokens, 0) AS output_tokens,
        cost_usd,
        (cost_usd IS NULL)::INTEGER AS unknown_cost_calls
    FROM spans
    WHERE kind = 'model_call' AND run_id IS NOT NULL AND replay_id IS NULL
),
of_step AS (
    SELECT
        trace_id, run_id, key,
        sum(llm_calls) AS llm_calls,
        sum(input_tokens) AS input_tokens,
        sum(output_tokens) AS output_tokens,
        sum(cost_usd) AS cost_usd,
        sum(unknown_cost_calls) AS unknown_cost_calls
    FROM listed
    GROUP BY trace_id, run_id, key
)
SELECT * FROM listed
UNION ALL BY NAME
SELECT
    steps.trace_id, steps.run_id, steps.key, workflow_type, session_id, user_id, tags, start_time,
    NULL AS provider,
    NULL AS model,
    steps.llm_calls - coalesce(of_step.llm_calls, 0) AS llm_calls,
    steps.input_tokens - coalesce(of_step.input_tokens, 0) AS input_tokens,
    steps.output_tokens - coalesce(of_step.output_tokens, 0) AS output_tokens,
    steps.cost_usd - coalesce(of_step.cost_usd, 0) AS cost_usd,
    steps.unknown_cost_calls - coalesce(of_step.unknown_cost_calls, 0) AS unknown_cost_calls
FROM steps
LEFT JOIN of_step
    ON steps.trace_id = of_step.trace_id AND steps.run_id = of_step.run_id AND steps.key = of_step.key
WHERE steps.llm_calls > coalesce(of_step.llm_calls, 0);

-- What each model costs.
CREATE OR REPLACE VIEW cost_by_model AS
SELECT
    provider,
    model,
    sum(llm_calls) AS llm_calls,
    sum(input_tokens) AS input_tokens,
    sum(output_tokens) AS output_tokens,
    sum(cost_usd) AS cost_usd,
    sum(unknown_cost_calls) AS unknown_cost_calls
FROM model_calls
GROUP BY provider, model
ORDER BY cost_usd DESC NULLS LAST, provider, model;

-- What each day costs, by workflow type and model: the day of the call, not of its run.
CREATE OR REPLACE VIEW cost_by_day AS
SELECT
    (start_time AT TIME ZONE 'UTC')::DATE AS day,
    workflow_type,
    model,
    sum(llm_calls) AS llm_calls,
    sum(cost_usd) AS cost_usd,
    sum(unknown_cost_calls) AS unknown_cost_calls
FROM model_calls
GROUP BY day, workflow_type, model
ORDER BY day, workflow_type, model;

-- Where the time goes: how long steps take that were executed and have ended.
CREATE OR REPLACE VIEW slowest_steps AS
SELECT
    kind,
    type,
    count(*) AS steps,
    quantile_cont(duration_s, 0.5) AS p50_s,
    quantile_cont(duration_s, 0.95) AS p95_s,
    max(duration_s) AS max_s,
    arg_max(run_id, duration_s) AS slowest_run_id
FROM steps
WHERE NOT reused AND duration_s IS NOT NULL AND replay_id IS NULL
GROUP BY kind, type
ORDER BY p95_s DESC, kind, type;

-- What attempts cost whose result was not used.
CREATE OR REPLACE VIEW retry_waste AS
SELECT
    workflow_type,
    type,
    count(*) AS steps,
    sum(wasted_attempts) AS wasted_attempts,
    sum(retry_waste_usd) FILTER (wasted_attempts > 0) AS retry_waste_usd,
    bool_or(retry_waste_at_least) AS at_least,
    sum(retry_waste_usd) / nullif(sum(cost_usd), 0) AS part_of_cost
FROM steps
WHERE replay_id IS NULL AND kind IN ('activity', 'local_activity')
GROUP BY workflow_type, type
HAVING sum(wasted_attempts) > 0
ORDER BY retry_waste_usd DESC NULLS LAST, workflow_type, type;

-- What runs and replays did not spend because they took results from history: what the attempts cost, in the run that
-- executed them, that closed these steps. A reset of a reset leads there in several hops, a circle nowhere: UNION keeps
-- each row once, and so it ends.
CREATE OR REPLACE VIEW saved_by_reuse AS
WITH RECURSIVE origin AS (
    SELECT trace_id, run_id, key, reused_run_id, reused_span_id
    FROM steps
    WHERE reused
    UNION
    SELECT origin.trace_id, origin.run_id, origin.key, base.reused_run_id, base.reused_span_id
    FROM origin
    JOIN steps AS base ON base.run_id = origin.reused_run_id AND base.span_id = origin.reused_span_id
    WHERE base.reused
),
executed AS (
    SELECT
        origin.trace_id, origin.run_id, origin.key,
        max(base.result_cost_usd) AS saved_usd,
        bool_or(base.result_cost_at_least) AS at_least
    FROM origin
    JOIN steps AS base ON base.run_id = origin.reused_run_id AND base.span_id = origin.reused_span_id
    WHERE NOT base.reused
    GROUP BY origin.trace_id, origin.run_id, origin.key
)
SELECT
    steps.workflow_type,
    steps.workflow_id,
    steps.run_id,
    steps.replay_id,
    count(*) AS reused_steps,
    sum(executed.saved_usd) AS saved_usd,
    bool_or(coalesce(executed.at_least, true)) AS at_least
FROM steps
LEFT JOIN executed
    ON steps.trace_id = executed.trace_id AND steps.run_id = executed.run_id AND steps.key = executed.key
WHERE steps.reused
GROUP BY steps.workflow_type, steps.workflow_id, steps.run_id, steps.replay_id
ORDER BY saved_usd DESC NULLS LAST, steps.run_id, steps.replay_id;

-- What runs would have cost without durable execution, begun again at each crash that their histories show.
CREATE OR REPLACE VIEW saved_by_durability AS
SELECT
    workflow_type,
    count(*) AS runs_that_recovered,
    sum(recovery_points) AS recovery_points,
    sum(cost_usd) AS cost_usd,
    sum(counterfactual_usd) AS counterfactual_usd,
    sum(counterfactual_usd) - sum(cost_usd) AS saved_usd,
    bool_or(counterfactual_at_least) AS at_least
FROM runs
WHERE replay_id IS NULL AND recovery_points > 0
GROUP BY workflow_type
ORDER BY saved_usd DESC NULLS LAST, workflow_type;

-- What failed, and of what: runs, steps, and attempts that were tried again or not.
CREATE OR REPLACE VIEW failures AS
WITH failed AS (
    SELECT 'run' AS failed, workflow_type, workflow_type AS type, error_type, NULL AS timeout_type, run_id, start_time
    FROM runs
    WHERE status IN ('failed', 'timed_out') AND replay_id IS NULL
    UNION ALL
    SELECT 'step', workflow_type, coalesce(type, kind), error_type, timeout_type, run_id, start_time
    FROM steps
    WHERE status IN ('failed', 'timed_out') AND replay_id IS NULL
    UNION ALL
    SELECT 'attempt', workflow_type, activity_type, error_type, timeout_type, run_id, start_time
    FROM spans
    WHERE kind = 'attempt' AND status = 'error' AND run_id IS NOT NULL
)
SELECT
    failed,
    workflow_type,
    type,
    error_type,
    timeout_type,
    count(*) AS failures,
    count(DISTINCT run_id) AS runs,
    max(start_time) AS latest,
    arg_max(run_id, start_time) AS latest_run_id
FROM failed
GROUP BY failed, workflow_type, type, error_type, timeout_type
ORDER BY failures DESC, failed, workflow_type, type, error_type, timeout_type;

-- How long attempts wait for a worker, where that is known.
CREATE OR REPLACE VIEW queue_times AS
SELECT
    task_queue,
    activity_type,
    count(*) AS attempts,
    quantile_cont(queue_time_s, 0.5) AS p50_s,
    quantile_cont(queue_time_s, 0.95) AS p95_s,
    quantile_cont(queue_time_s, 0.99) AS p99_s,
    max(queue_time_s) AS max_s
FROM spans
WHERE kind = 'attempt' AND queue_time_s IS NOT NULL
GROUP BY task_queue, activity_type
ORDER BY p95_s DESC, task_queue, activity_type;

-- Sessions: the runs of a conversation, what they cost.
CREATE OR REPLACE VIEW sessions AS
SELECT
    session_id,
    count(*) AS runs,
    min(start_time) AS first,
    max(start_time) AS last,
    sum(llm_calls) AS llm_calls,
    sum(input_tokens) AS input_tokens,
    sum(output_tokens) AS output_tokens,
    known_usd(cost_usd, cost_at_least, llm_calls - unknown_cost_calls) AS cost_usd,
    bool_or(cost_at_least) AS at_least
FROM runs
WHERE replay_id IS NULL
GROUP BY session_id
ORDER BY last DESC, session_id;

-- Tags: a run with two tags counts in both.
CREATE OR REPLACE VIEW tags AS
SELECT
    tag,
    count(*) AS runs,
    count(*) FILTER (status = 'failed') AS failed,
    sum(llm_calls) AS llm_calls,
    known_usd(cost_usd, cost_at_least, llm_calls - unknown_cost_calls) AS cost_usd,
    bool_or(cost_at_least) AS at_least
FROM (SELECT unnest(tags) AS tag, * FROM runs WHERE replay_id IS NULL)
GROUP BY tag
ORDER BY cost_usd DESC NULLS LAST, tag;

-- Tokens and cost of each user; those of no user in a row of their own.
CREATE OR REPLACE VIEW tokens_by_user AS
SELECT
    user_id,
    count(*) AS runs,
    sum(llm_calls) AS llm_calls,
    sum(input_tokens) AS input_tokens,
    sum(cached_input_tokens) AS cached_input_tokens,
    sum(output_tokens) AS output_tokens,
    sum(reasoning_tokens) AS reasoning_tokens,
    known_usd(cost_usd, cost_at_least, llm_calls - unknown_cost_calls) AS cost_usd,
    bool_or(cost_at_least) AS at_least
FROM runs
WHERE replay_id IS NULL
GROUP BY user_id
ORDER BY input_tokens DESC, user_id;

-- A run with its children, and all others of its trace, as one sum.
CREATE OR REPLACE VIEW traces AS
SELECT
    trace_id,
    arg_min(workflow_type, start_time) AS workflow_type,
    arg_min(workflow_id, start_time) AS workflow_id,
    count(*) AS runs,
    min(start_time) AS start_time,
    sum(llm_calls) AS llm_calls,
    known_usd(cost_usd, cost_at_least, llm_calls - unknown_cost_calls) AS cost_usd,
    bool_or(cost_at_least) AS at_least
FROM runs
WHERE replay_id IS NULL
GROUP BY trace_id
ORDER BY cost_usd DESC NULLS LAST, trace_id;
