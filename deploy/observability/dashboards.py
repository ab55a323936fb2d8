#!/usr/bin/env python3
"""Writes the Grafana dashboards of this folder: `dashboards.py` writes them, `dashboards.py --check` says whether they are current.

A panel is a line below: title, unit, width, queries. Grafana's JSON has no place for anything but JSON.
"""
import json
import pathlib
import sys

FOLDER = pathlib.Path(__file__).parent / "dashboards"
WIDTH, HEIGHT = 24, 8
SOURCE = {"type": "prometheus", "uid": "${source}"}
CHOSEN = 'namespace=~"$namespace",scaledobject=~"$scaledobject"'


def target(number, query, legend, **more):
    return {"refId": chr(ord("A") + number), "datasource": SOURCE, "expr": query, "legendFormat": legend, **more}


def lines(title, unit, queries, *, width=12, stacked=False, help=""):
    custom = {"lineWidth": 1, "fillOpacity": 12, "showPoints": "never"}
    if stacked:
        custom |= {"stacking": {"mode": "normal"}, "fillOpacity": 40}
    return {
        "type": "timeseries", "title": title, "description": help, "width": width, "height": HEIGHT,
        "fieldConfig": {"defaults": {"unit": unit, "min": 0, "custom": custom}, "overrides": []},
        "options": {"legend": {"displayMode": "list", "placement": "bottom"}, "tooltip": {"mode": "multi", "sort": "desc"}},
        "targets": [target(number, *query) for number, query in enumerate(queries)],
    }


def number(title, unit, query, *, width=4, colours=(("green", None),), help=""):
    steps = [{"color": colour, "value": value} for colour, value in colours]
    return {
        "type": "stat", "title": title, "description": help, "width": width, "height": 4,
        "fieldConfig": {"defaults": {"unit": unit, "thresholds": {"mode": "absolute", "steps": steps}}, "overrides": []},
        "options": {"reduceOptions": {"calcs": ["lastNotNull"]}, "graphMode": "area", "colorMode": "value"},
        "targets": [target(0, query, "")],
    }


def table(title, queries, *, width=24, help=""):
    return {
        "type": "table", "title": title, "description": help, "width": width, "height": HEIGHT,
        "fieldConfig": {"defaults": {}, "overrides": []}, "options": {"showHeader": True},
        "transformations": [
            {"id": "merge", "options": {}},
            {"id": "organize", "options": {"excludeByName": {"Time": True, "__name__": True, "instance": True, "job": True, "pod": True}}},
        ],
        "targets": [target(place, query, "", format="table", instant=True) for place, query in enumerate(queries)],
    }


def chooser(name, metric):
    query = f"label_values({metric}, {name})"
    return {"name": name, "type": "query", "datasource": SOURCE, "query": query, "definition": query, "refresh": 2,
            "includeAll": True, "multi": True, "allValue": ".*", "current": {"text": "All", "value": "$__all"}}


def dashboard(name, title, choosers, panels):
    placed, across, down, tallest = [], 0, 0, 0
    for place, panel in enumerate(panels, start=1):
        width, height = panel.pop("width"), panel.pop("height")
        if across + width > WIDTH:
            across, down, tallest = 0, down + tallest, 0
        placed.append({"id": place, "datasource": SOURCE, "gridPos": {"x": across, "y": down, "w": width, "h": height}, **panel})
        across, tallest = across + width, max(tallest, height)
    source = {"name": "source", "type": "datasource", "query": "prometheus", "label": "Prometheus"}
    return {
        "uid": f"sluice-{name}", "title": title, "tags": ["sluice"], "schemaVersion": 39, "editable": True, "timezone": "browser",
        "refresh": "30s", "time": {"from": "now-3h", "to": "now"}, "graphTooltip": 1,
        "links": [{"title": "Sluice", "type": "dashboards", "tags": ["sluice"], "asDropdown": True, "keepTime": True}],
        "templating": {"list": [source, *choosers]}, "panels": placed,
    }


ALARMING = (("green", None), ("red", 1))
EACH = "{{namespace}}/{{scaledobject}} {{queue}}"

QUEUES = [
    number("Cannot be observed", "none", 'sum(sluice_triggers{trouble="cannot_observe"})', colours=ALARMING),
    number("Late", "none", 'sum(sluice_triggers{trouble="late"})', colours=ALARMING),
    number("With a warning", "none", 'sum(sluice_triggers{trouble="warning"})', colours=(("green", None), ("orange", 1))),
    number("At work", "none", 'sum(sluice_triggers{trouble="working"})'),
    number("Dead letters", "none", f"sum(max by (region, queue) (sluice_dead_letters{{{CHOSEN}}}))", colours=ALARMING),
    number("Replica-hours saved, 24 h", "none", f"sum(increase(sluice_saved_replica_seconds_total{{{CHOSEN}}}[24h])) / 3600",
           help="What aws-sqs-queue would have asked for and the law did not; in mode shadow: what obeying would save."),
    lines("Waiting", "short", [(f"sluice_visible_messages{{{CHOSEN}}}", EACH)]),
    lines("In flight", "short", [(f"sluice_in_flight_messages{{{CHOSEN}}}", EACH)]),
    lines("Oldest message against its target", "s", [
        (f"sluice_oldest_message_age_seconds{{{CHOSEN}}}", f"{EACH} age"),
        (f"sluice_target_wait_seconds{{{CHOSEN}}}", f"{EACH} target")]),
    lines("Replicas", "short", [
        (f"sluice_replicas_asked{{{CHOSEN}}}", f"{EACH} asked for"),
        (f"sluice_ready_replicas{{{CHOSEN}}}", f"{EACH} ready"),
        (f"sluice_plain_replicas{{{CHOSEN}}}", f"{EACH} aws-sqs-queue"),
        (f"sluice_law_replicas{{{CHOSEN}}}", f"{EACH} law")],
          help="Asked for is what KEDA gets; aws-sqs-queue is what it would get without Sluice."),
    lines("A message takes, as estimated", "s", [(f"sluice_message_seconds{{{CHOSEN}}}", EACH)], width=8),
    lines("Arrivals", "reqps", [(f"sluice_arrivals_per_second{{{CHOSEN}}}", EACH)], width=8),
    lines("What bound the answers", "short", [("sum by (bound_by) (rate(sluice_decisions_total[5m])) * 60", "{{bound_by}} a minute")],
          width=8, stacked=True),
    lines("Saved and added replicas", "short", [
        (f"sum(rate(sluice_saved_replica_seconds_total{{{CHOSEN}}}[10m]))", "saved"),
        (f"sum(rate(sluice_added_replica_seconds_total{{{CHOSEN}}}[10m]))", "added")],
          help="Against aws-sqs-queue, on average."),
    lines("Late", "percentunit", [(f"rate(sluice_late_seconds_total{{{CHOSEN}}}[10m])", EACH)], help="Share of the time."),
    table("Warnings", [f"sluice_warning{{{CHOSEN}}} == 1"], width=12),
    table("What binds now", [f"sluice_bound_by{{{CHOSEN}}} == 1"], width=12),
]

ITSELF = [
    number("Version", "none", "count by (version) (sluice_build_info)", width=4),
    number("Triggers", "none", "sum(sluice_triggers)"),
    number("Without metrics of their own", "none", "sum(sluice_triggers_left_out)", colours=(("green", None), ("orange", 1))),
    number("SQS a month", "currencyUSD", "sum(sluice_sqs_dollars_per_month)"),
    number("CloudWatch a month", "currencyUSD", "sum(sluice_cloudwatch_dollars_per_month)"),
    number("Answered from the cache", "percentunit",
           'sum(rate(sluice_cache_answers_total{answer="Fresh"}[10m])) / sum(rate(sluice_cache_answers_total[10m]))'),
    lines("Calls of KEDA", "reqps", [("sum by (method, code) (rate(sluice_rpcs_total[5m]))", "{{method}} {{code}}")]),
    lines("Time to answer", "s", [
        ("histogram_quantile(0.5, sum by (le) (rate(sluice_rpc_duration_seconds_bucket[5m])))", "half"),
        ("histogram_quantile(0.99, sum by (le) (rate(sluice_rpc_duration_seconds_bucket[5m])))", "99 in 100")]),
    lines("Requests to SQS", "reqps", [("sum by (outcome) (rate(sluice_sqs_requests_total[5m]))", "{{outcome}}")]),
    lines("Requests to CloudWatch", "reqps", [
        ("sum by (outcome) (rate(sluice_cloudwatch_requests_total[5m]))", "{{outcome}}"),
        ("sum(rate(sluice_cloudwatch_metrics_requested_total[5m]))", "metrics asked for"),
        ("sum(rate(sluice_cloudwatch_budget_refusals_total[5m]))", "refused by the budget")]),
    lines("Where answers come from", "reqps", [("sum by (answer) (rate(sluice_cache_answers_total[5m]))", "{{answer}}")], stacked=True),
    lines("Streams and watched queues", "short", [
        ("sum by (method) (sluice_open_streams)", "{{method}}"), ("sum(sluice_watched_queues)", "watched queues")]),
    lines("Looks for push streams, and wakes", "reqps", [
        ("sum by (outcome) (rate(sluice_looks_total[5m]))", "looks {{outcome}}"), ("sum(rate(sluice_wakes_total[5m]))", "wakes")]),
    lines("Connections and tasks", "short", [
        ("sum(sluice_connections)", "open"), ("sum(sluice_tasks)", "tasks"), ("sum by (reason) (rate(sluice_connections_refused_total[5m])) * 60", "refused {{reason}} a minute")]),
    lines("The certificate expires in", "s", [("min by (certificate) (sluice_tls_certificate_expiry_timestamp_seconds) - time()", "{{certificate}}"),
        ('sum(increase(sluice_tls_certificate_loads_total[1h]))', "changes taken in an hour")]),
    lines("Age of observations", "s", [("max(sluice_observation_age_seconds)", "oldest"), ("quantile(0.5, sluice_observation_age_seconds)", "half")]),
]

AROUND = [
    lines("Messages of the workers", "reqps", [
        ("sum(rate(sluice_worker_messages_received_total[5m]))", "received"),
        ("sum(rate(sluice_worker_messages_done_total[5m]))", "done"),
        ("sum(rate(sluice_worker_messages_failed_total[5m]))", "failed"),
        ("sum(rate(sluice_worker_messages_redelivered_total[5m]))", "redelivered"),
        ("sum(rate(sluice_worker_messages_handed_back_total[5m]))", "handed back")]),
    lines("Slots of the workers", "short", [
        ("sum(sluice_worker_slots)", "slots"), ("sum(sluice_worker_busy_slots)", "busy"),
        ("sum(sluice_worker_messages_in_flight)", "messages held")]),
    lines("Wait until received", "s", [
        ("histogram_quantile(0.5, sum by (le) (rate(sluice_worker_queue_wait_seconds_bucket[5m])))", "half"),
        ("histogram_quantile(0.99, sum by (le) (rate(sluice_worker_queue_wait_seconds_bucket[5m])))", "99 in 100")]),
    lines("Time that handlers take", "s", [
        ("histogram_quantile(0.5, sum by (le) (rate(sluice_worker_handler_seconds_bucket[5m])))", "half"),
        ("histogram_quantile(0.99, sum by (le) (rate(sluice_worker_handler_seconds_bucket[5m])))", "99 in 100")]),
    lines("What KEDA gets", "short", [("sum by (scaledObject, metric) (keda_scaler_metrics_value)", "{{scaledObject}} {{metric}}")]),
    lines("KEDA's latencies", "s", [
        ("max by (scaledObject) (keda_scaler_metrics_latency_seconds)", "scaler {{scaledObject}}"),
        ("max(keda_internal_scale_loop_latency_seconds)", "scale loop")]),
    lines("KEDA's errors", "reqps", [
        ("sum by (scaledObject) (rate(keda_scaler_detail_errors_total[5m]))", "scaler {{scaledObject}}"),
        ("sum by (scaledObject) (rate(keda_scaled_object_errors_total[5m]))", "object {{scaledObject}}"),
        ("sum(rate(keda_scaled_job_errors_total[5m]))", "jobs")]),
    lines("Active by KEDA", "short", [("sum by (scaledObject) (keda_scaler_active)", "{{scaledObject}}")]),
    lines("Nodes", "short", [
        ('count(count by (node_name) (karpenter_nodes_allocatable{resource_type="cpu"}))', "nodes"),
        ("sum(rate(karpenter_nodeclaims_created_total[10m])) * 600", "claims created in 10 min"),
        ("sum(rate(karpenter_nodeclaims_terminated_total[10m])) * 600", "claims ended in 10 min"),
        ("sum(rate(karpenter_nodeclaims_disrupted_total[10m])) * 600", "claims disrupted in 10 min")], width=8),
    lines("CPU of the nodes", "short", [
        ('sum(karpenter_nodes_allocatable{resource_type="cpu"})', "allocatable"),
        ('sum(karpenter_nodes_total_pod_requests{resource_type="cpu"})', "requested by pods")], width=8),
    lines("Pods", "short", [
        ("sum by (phase) (karpenter_pods_state)", "{{phase}}"),
        ("sum(karpenter_scheduler_queue_depth)", "waiting for a node")], width=8),
]

DASHBOARDS = {
    "queues": dashboard("queues", "Sluice: queues", [chooser("namespace", "sluice_visible_messages"),
                                                      chooser("scaledobject", "sluice_visible_messages")], QUEUES),
    "itself": dashboard("itself", "Sluice: the scaler itself", [], ITSELF),
    "around": dashboard("around", "Sluice: workers, KEDA and nodes", [], AROUND),
}


def main():
    stale = []
    for name, content in DASHBOARDS.items():
        path, text = FOLDER / f"{name}.json", json.dumps(content, indent=1) + "\n"
        if "--check" not in sys.argv:
            path.write_text(text)
        elif not path.exists() or path.read_text() != text:
            stale.append(path.name)
    if stale:
        sys.exit(f"not current: {', '.join(stale)}; run deploy/observability/dashboards.py")


if __name__ == "__main__":
    main()
