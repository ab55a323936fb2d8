"""What `down` must do, seen from outside."""

from scripts_world import different, failed, refused

K = "kubectl --context sluice"

EVERYTHING = [
    "helm uninstall sluice --kube-context sluice --namespace shop --ignore-not-found --wait --timeout 5m",
    "helm uninstall sluice --kube-context sluice --namespace keda --ignore-not-found --wait --timeout 5m",
    f"{K} delete scaledobjects.keda.sh --all --all-namespaces --ignore-not-found --timeout 120s",
    f"{K} get scaledobjects.keda.sh",
    f"{K} delete scaledjobs.keda.sh --all --all-namespaces --ignore-not-found --timeout 120s",
    f"{K} get scaledjobs.keda.sh",
    "helm uninstall keda --kube-context sluice --namespace keda --ignore-not-found --wait --timeout 5m",
    f"{K} delete customresourcedefinitions scaledobjects.keda.sh scaledjobs.keda.sh triggerauthentications.keda.sh"
    " clustertriggerauthentications.keda.sh cloudeventsources.eventing.keda.sh"
    " clustercloudeventsources.eventing.keda.sh --ignore-not-found --timeout 2m",
    f"{K} delete nodepools.karpenter.sh --all --ignore-not-found --timeout 15m",
    f"{K} delete ec2nodeclasses.karpenter.k8s.aws --all --ignore-not-found --timeout 5m",
    "helm uninstall karpenter --kube-context sluice --namespace kube-system --ignore-not-found --wait --timeout 5m",
    f"{K} delete namespaces --selector app.kubernetes.io/created-by=sluice --ignore-not-found --timeout 5m",
    "eksctl delete cluster --name sluice --region eu-west-1 --wait --disable-nodegroup-eviction",
]


def plain(calls):
    """Calls that only look, without how they want the answer."""
    return [call.split(" --all-namespaces --ignore-not-found --output")[0] if " get " in call else call for call in calls]


def made(world):
    world.as_after_up(bucket="events-1")


def down_leaves_nothing(world):
    """down --clean-all deletes ScaledObjects before KEDA, nodes before the cluster, and leaves an empty account"""
    # After the real `up`, so that what one makes is what the other takes away.
    world.run("up", "--yes", "--bucket", "events-1")
    world.calls()
    s3 = world.aws.client("s3")
    for body in (b"1", b"2"):
        s3.put_object(Bucket="events-1", Key="store_events/a.json", Body=body)
    s3.delete_object(Bucket="events-1", Key="store_events/a.json")
    done = world.run("down", "--clean-all", "--yes")
    # The emulator keeps the managed policies of stacks that it deletes.
    left = [i for i in world.leftovers() if i != "policy sluice-karpenter"]
    return failed(done) + list(different(plain(world.calls()), EVERYTHING)) + [f"left {i}" for i in left]


def down_twice(world):
    """down --clean-all may be run when all is gone"""
    done = world.run("down", "--clean-all", "--yes")
    return failed(done) + [f"calls {c}" for c in world.calls()]


def down_alone(world):
    """down without options takes away workers and scaler, and nothing else"""
    made(world)
    before = world.leftovers()
    done = world.run("down", "--yes")
    return failed(done) + list(different(world.calls(), EVERYTHING[:2])) + list(different(world.leftovers(), before))


def down_parts(world):
    """down --clean-sqs --clean-iam leaves cluster, bucket and images"""
    made(world)
    done = world.run("down", "--clean-sqs", "--clean-iam", "--yes")
    found = {item.split()[0] for item in world.leftovers()}
    wanted = {"bucket", "cluster", "policy", "queue", "repository", "role", "rule", "stack"}
    left = [i for i in world.leftovers() if i.endswith(("/orders", "/orders-dlq", "sluice-worker-role", "-queue", "-roles"))]
    return failed(done) + [f"left {i}" for i in left] + ([] if found == wanted else [f"there are {sorted(found)}"])


def finalizers(world):
    """down takes the finalizer from a ScaledObject that KEDA no longer lets go"""
    made(world)
    world.answer(("^kubectl .* get scaledobjects.keda.sh", 0, r"shop sluice-worker\n"))
    done = world.run("down", "--clean-keda", "--yes")
    patch = (
        f"{K} patch scaledobjects.keda.sh sluice-worker --namespace shop --type merge"
        ' --patch {"metadata":{"finalizers":null}}'
    )
    return failed(done) + ([] if patch in world.calls() else ["the finalizer stays"])


def down_dry_run(world):
    """down --clean-all --dry-run deletes nothing"""
    made(world)
    before = world.leftovers()
    done = world.run("down", "--clean-all", "--dry-run")
    changing = [c for c in world.calls() if " get " not in c]
    return failed(done) + [f"calls {c}" for c in changing] + list(different(world.leftovers(), before))


def nobody_is_asked(world):
    """down without --yes and without a terminal stops before it deletes anything"""
    made(world)
    before = world.leftovers()
    done = world.run("down", "--clean-all")
    return list(refused(done, "--yes")) + list(different(world.leftovers(), before))


def flux_first(world):
    """down --clean-flux suspends Flux before anything is deleted, and uninstalls it at the end"""
    made(world)
    done = world.run("down", "--clean-flux", "--clean-keda", "--yes")
    calls = world.calls()
    ends = [calls[0], calls[-1]] if calls else []
    wanted = ["flux --context sluice suspend kustomization --all", "flux --context sluice uninstall --silent"]
    return failed(done) + list(different(ends, wanted))


SCENARIOS = [
    down_leaves_nothing,
    down_twice,
    down_alone,
    down_parts,
    finalizers,
    down_dry_run,
    nobody_is_asked,
    flux_first,
]
