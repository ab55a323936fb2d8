"""Rules about meaning, which no schema knows; each was a real mistake in a system that Sluice takes the place of. A rule
takes all files and yields what is wrong. What one object must be is in ../rules, which every
manifest and every render of the chart is held against: grace periods, limits of scaling, labels, limits and images of
nodes. What permissions must be is ../iam/check."""

import re

import yaml

from deployment import REPOSITORY
from lint_files import environment, is_template
from metric_names import asked_for, known_metrics, recorded

RULES = []


def rule(function):
    RULES.append(function)
    return function


@rule
def tags_of_nodes(files):
    """an EC2NodeClass has the tags that everything has"""
    wanted = {key.title() for key in ("owner", "environment", "project")}
    for path, node_class in files.objects("EC2NodeClass"):
        lacking = wanted - node_class["spec"].get("tags", {}).keys()
        yield from (f"{path}: EC2NodeClass {node_class['metadata']['name']} has no tag {tag}" for tag in sorted(lacking))


@rule
def architecture_of_images(files):
    """nodes have an architecture that images are built for"""
    platforms = re.search(r"PLATFORMS:-([^}]+)", files.text["images/build"]).group(1)
    built = {platform.removeprefix("linux/") for platform in platforms.split(",")}
    wanted = {files.names["NODE_ARCHITECTURE"]: "names.env"}
    for path, pool in files.objects("NodePool"):
        for requirement in pool["spec"]["template"]["spec"]["requirements"]:
            if requirement["key"] == "kubernetes.io/arch":
                wanted.update({architecture: path for architecture in requirement["values"]})
    for path, config in files.objects("ClusterConfig"):
        for group in config.get("managedNodeGroups", []):
            wanted.update({architecture_of(type_): path for type_ in group.get("instanceTypes", [])})
    for architecture, path in wanted.items():
        if architecture not in built:
            yield f"{path}: nodes are {architecture}, images are built for {', '.join(sorted(built))}"


def architecture_of(instance_type):
    """Graviton has a g after its generation, as in m7g and c7gn."""
    return "arm64" if re.match(r"[a-z]+\d+g", instance_type) else "amd64"


@rule
def controllers_on_demand(files):
    """node groups, on which controllers run, are on demand"""
    for path, config in files.objects("ClusterConfig"):
        for group in config.get("managedNodeGroups", []):
            if group.get("spot"):
                yield f"{path}: node group {group['name']} is spot"
    for path, text in files.with_suffix(".tf").items():
        if re.search(r'capacity_type\s*=\s*"SPOT"', text):
            yield f"{path}: a node group is spot"


@rule
def identity_of_triggers(files):
    """identityOwner and aws-eks, which KEDA takes away in version 3, are only in what is called legacy"""
    for path, document in files.objects():
        if "legacy" in path:
            continue
        for trigger in document.get("spec", {}).get("triggers", []) or []:
            if "identityOwner" in trigger.get("metadata", {}):
                yield f"{path}: identityOwner is deprecated since KEDA 2.13"
        provider = (document.get("spec", {}).get("podIdentity") or {}).get("provider")
        if provider == "aws-eks":
            yield f"{path}: the provider aws-eks is deprecated; aws does what it did, and Pod Identity"


def is_worker(container, settings):
    """Whether it consumes a queue; other modes of the program do not."""
    mode = (container.get("args") or ["run"])[0]
    return "sluice-worker" in container["image"] and mode in ("run", "once") and "SQS_QUEUE_URL" in settings


# A beat is a request, and one that is lost must leave time for the next.
LEAST_SECONDS_BETWEEN_BEATS = 5


@rule
def time_between_heartbeats(files):
    """a message is hidden for at least three heartbeats"""
    source = (REPOSITORY / "worker/src/heartbeat.rs").read_text()
    beats = int(re.search(r"BEATS_PER_TIMEOUT: u32 = (\d+)", source).group(1))
    if beats < 3:
        yield f"worker/src/heartbeat.rs: {beats} heartbeats in a visibility timeout"
    for path, _, _, container in files.containers():
        settings = environment(container, files)
        timeout = int(settings.get("SQS_VISIBILITY_TIMEOUT") or files.names["QUEUE_VISIBILITY_TIMEOUT_SECONDS"])
        if is_worker(container, settings) and timeout < 3 * LEAST_SECONDS_BETWEEN_BEATS:
            yield f"{path}: a message is hidden for {timeout} s, less than three heartbeats of {LEAST_SECONDS_BETWEEN_BEATS} s"


# Accounts that are AWS's own: registries of its images.
AWS_ACCOUNTS = {"602401143452"}


@rule
def one_account(files):
    """there is one account, that of names.env"""
    own = {files.names["AWS_ACCOUNT_ID"], *AWS_ACCOUNTS}
    for path, text in files.text.items():
        # Names of accounts stand where an ARN, a URL or a registry has them.
        for account in re.findall(r"(?::|/|^|\s)(\d{12})(?=[:/.])", text):
            if account not in own and not path.startswith("scripts/"):
                yield f"{path}: account {account}, names.env says {files.names['AWS_ACCOUNT_ID']}"


REGION = re.compile(r"(?<![\w-])(?:us|eu|ap|sa|ca|me|af|il|mx)-(?:north|south|east|west|central|northeast|southeast|northwest|southwest)-\d(?![\w-])")


@rule
def one_region(files):
    """there is one region, that of names.env, in all that is applied"""
    for path, text in files.text.items():
        if not path.endswith((".yaml", ".json", ".tf")) or path.startswith("scripts/"):
            continue
        text = re.sub(r"(?m)#.*$", "", text)
        for region in sorted(set(REGION.findall(text)) - {files.names["AWS_REGION"]}):
            yield f"{path}: region {region}, names.env says {files.names['AWS_REGION']}"


@rule
def queue_in_its_place(files):
    """the URL and the ARN of a queue have the account and the region of everything else"""
    place = (files.names["AWS_REGION"], files.names["AWS_ACCOUNT_ID"])
    for path, text in files.text.items():
        if is_template(path) or path.startswith("scripts/"):
            continue
        found = re.findall(r"https://sqs\.([a-z0-9-]+)\.amazonaws\.com/(\d+)/", text)
        found += re.findall(r"arn:aws:sqs:([a-z0-9-]+):(\d+):", text)
        for wrong in sorted(set(found) - {place}):
            yield f"{path}: a queue in {wrong[0]} of account {wrong[1]}"


@rule
def one_queue(files):
    """the queue that parts are shown with has one name; examples have queues of their own"""
    queues = {files.names["QUEUE_NAME"], files.names["DLQ_NAME"], files.names["KARPENTER_INTERRUPTION_QUEUE"]}
    for path, text in files.text.items():
        if path.startswith(("examples/", "scripts/", "chart/")) or is_template(path):
            continue
        found = re.findall(r"https://sqs\.[a-z0-9-]+\.amazonaws\.com/\d+/([\w.-]+)", text)
        found += re.findall(r"arn:aws:sqs:[a-z0-9-]+:\d+:([\w.-]+)", text)
        for name in sorted(set(found) - queues):
            yield f"{path}: queue {name}, names.env says {files.names['QUEUE_NAME']}"


@rule
def metrics_that_exist(files):
    """rules and dashboards ask for metrics that somebody exports"""
    known = known_metrics(files) | recorded(files)
    for path, expression in asked_for(files):
        for metric in expression.metrics() - known:
            yield f"{path}: {metric} is exported by nobody that is known: {expression.text[:80]}"


@rule
def numbers_in_pages(files):
    """a page that says a number of names.env says the right one"""
    for path, text in files.with_suffix(".md").items():
        for name, value in re.findall(r"`([A-Z][A-Z0-9_]+)`(?:\s*\|\s*|=| is | )`([^`]+)`", text):
            if name in files.names and value != files.names[name]:
                yield f"{path}: {name} is {value}, names.env says {files.names[name]}"


@rule
def versions_in_files(files):
    """what is installed has the version of names.env wherever it is named"""
    for path, text in files.text.items():
        if path == "names.env":
            continue
        for chart, name in (("keda", "KEDA_CHART_VERSION"), ("karpenter", "KARPENTER_CHART_VERSION")):
            for version in re.findall(rf"\b{chart} (?:\S+ )*?--version (v?\d[\w.]+)", text):
                if version != files.names[name]:
                    yield f"{path}: {chart} {version}, names.env says {files.names[name]}"


PLACEHOLDER = re.compile(r"(?<![$\w])\{[A-Z][A-Z0-9_]+\}|<(?:your|YOUR)[-_ \w]*>|\b(?:REPLACE|CHANGE)_?ME\b|\bTODO\b|\bxxxx+\b")


@rule
def no_placeholder(files):
    """what can be applied has no placeholder in it"""
    for path, text in files.with_suffix(".yaml", ".yml", ".json", ".tf", ".env").items():
        if path.startswith("scripts/templates/"):
            continue
        for number, line in enumerate(text.splitlines(), 1):
            found = PLACEHOLDER.search(line)
            if found:
                yield f"{path} line {number}: {found.group()} is left"


@rule
def variables_of_flux(files):
    """what Flux replaces has a value in its settings"""
    known = set()
    for path, config in files.objects("ConfigMap"):
        if path.startswith("flux/"):
            known |= config.get("data", {}).keys()
    for path, text in files.with_suffix(".yaml").items():
        if path.startswith("flux/"):
            used = set(re.findall(r"\$\{([A-Za-z_]\w*)(?::[=-][^}]*)?\}", re.sub(r"(?m)#.*$", "", text)))
            yield from (f"{path}: ${{{name}}} has no value in the settings" for name in sorted(used - known))


@rule
def dead_letters_outlive(files):
    """dead letters, which keep their age, are kept longer than messages of the queue"""
    template = yaml.load(files.text["cloudformation/queue.yaml"], yaml_loader())["Parameters"]
    if template["DeadLetterRetentionPeriod"]["Default"] <= template["MessageRetentionPeriod"]["Default"]:
        yield "cloudformation/queue.yaml: dead letters are not kept longer than messages"
    kept = [int(n) for n in re.findall(r"message_retention_seconds = (\d+)", files.text["terraform/queue.tf"])]
    if not kept or max(kept) <= int(files.names["QUEUE_MESSAGE_RETENTION_SECONDS"]):
        yield "terraform/queue.tf: dead letters are not kept longer than messages"


def yaml_loader():
    from deployment import CloudFormationLoader

    return CloudFormationLoader


# What SQS gives to CloudWatch, as AWS documents it.
SQS_METRICS = """ApproximateAgeOfOldestMessage ApproximateNumberOfMessagesDelayed ApproximateNumberOfMessagesNotVisible
ApproximateNumberOfMessagesVisible NumberOfEmptyReceives NumberOfMessagesDeleted NumberOfMessagesReceived
NumberOfMessagesSent SentMessageSize ApproximateNumberOfGroupsWithInflightMessages NumberOfDeduplicatedSentMessages""".split()


@rule
def metrics_of_sqs(files):
    """alarms and panels ask CloudWatch for metrics that SQS has"""
    for path, text in files.text.items():
        if not path.endswith((".yaml", ".json", ".tf")) or path.startswith("scripts/"):
            continue
        for metric in set(re.findall(r"\b(?:ApproximateN|ApproximateA|NumberOf|SentMessage)\w+", text)) - set(SQS_METRICS):
            yield f"{path}: SQS has no metric {metric}"
