"""The Grafana dashboards, as code: ``make dashboards`` writes them to ``dashboards/grafana/dashboards``.

`expressions` knows how metrics are named and summed up in Prometheus, `panels` how they are drawn; each other module is
a dashboard. Grafana's own models (grafana-foundation-sdk) type all of it.
"""
