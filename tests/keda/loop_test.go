// KEDA's real loop and the query of its autoscaler, while things break.

package conformance

import (
	"context"
	"net"
	"strings"
	"testing"
	"time"

	kedav1alpha1 "github.com/kedacore/keda/v2/apis/keda/v1alpha1"
)

const (
	loopArea = "the loop"
	// A call is answered within a second whatever SQS does; KEDA asks once more after an error.
	sluiceDeadline = 1 * time.Second
	busyMachine    = 500 * time.Millisecond
	// gRPC connects again after a second and a bit; each further failure makes it wait longer.
	reconnectPatience = 20 * time.Second
)

// never is a polling interval that no test lives to see.
const never = int32(3600)

func TestTheLoopWakesAWorkload(t *testing.T) {
	t.Parallel()
	for kind, interval := range map[string]int32{"external": 1, "external-push": never} {
		queue := "loop-" + kind
		shared.sqs.givenQueue(t, queue)
		made := givenCluster(t, queue, clusterOptions{triggerType: kind, address: shared.scaler, sqs: shared.sqs, pollingInterval: interval})
		if err := made.keda.HandleScalableObject(t.Context(), made.object(t)); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * time.Second)
		replicas, err := made.replicas(t.Context())
		results.check(t, loopArea, err == nil && replicas == 0, "%s: %d replicas without work, %v", kind, replicas, err)
		shared.sqs.send(t, queue, "work")
		woken := eventually(5*time.Second, func() bool {
			replicas, err = made.replicas(t.Context())
			return err == nil && replicas == 1
		})
		results.check(t, loopArea, woken, "%s: %d replicas with work, %v; events %q", kind, replicas, err, made.told())
		value, err := made.autoscalerAsks(t.Context())
		results.check(t, loopArea, err == nil && value == `"`+metricName(queue)+`" 1`, "%s: the autoscaler is told %s, %v", kind, value, err)
		_ = made.keda.DeleteScalableObject(context.Background(), made.object(t))
	}
}

// Since 2.20 KEDA creates no autoscaler without a metric, but fails and tries again.
func TestAScalerThatIsDownAtCreation(t *testing.T) {
	t.Parallel()
	queue, address := "loop-down-at-creation", freeAddress(t)
	shared.sqs.givenQueue(t, queue)
	made := givenCluster(t, queue, clusterOptions{triggerType: "external", address: address, sqs: shared.sqs, pollingInterval: never})
	cache, err := made.keda.GetScalersCache(t.Context(), made.object(t))
	if err != nil {
		t.Fatal(err)
	}
	specs := cache.GetMetricSpecForScaling(t.Context())
	results.check(t, loopArea, len(specs) == 0, "specs from nowhere: %v", specs)
	_, err = made.autoscalerAsks(t.Context())
	told := strings.Join(made.told(), "\n")
	results.check(t, loopArea, err != nil && strings.Contains(told, "KEDAScalerFailed got empty metric spec"), "error %v, events %s", err, told)

	mustStartScaler(t, address)
	made.assertAnswersAgain(t, `"`+metricName(queue)+`" 0`)
}

func TestAScalerThatGoesDownAndComesBack(t *testing.T) {
	t.Parallel()
	queue := "loop-down-later"
	shared.sqs.givenQueue(t, queue)
	scaler := mustStartScaler(t, "127.0.0.1:0")
	address := scaler.told["grpc"]
	// KEDA's fallback counts failures of metrics; it never learns of these, see kedacore/keda#8056.
	fallback := &kedav1alpha1.Fallback{FailureThreshold: 1, Replicas: 4}
	made := givenCluster(t, queue, clusterOptions{triggerType: "external", address: address, sqs: shared.sqs, pollingInterval: never, fallback: fallback})
	made.assertAnswersAgain(t, `"`+metricName(queue)+`" 0`)
	scaler.kill()
	for range 4 {
		asked := time.Now()
		value, err := made.autoscalerAsks(t.Context())
		results.check(t, loopArea, err != nil && time.Since(asked) < sluiceDeadline, "without a scaler: %s, %v, after %v", value, err, time.Since(asked))
	}
	mustStartScaler(t, address)
	made.assertAnswersAgain(t, `"`+metricName(queue)+`" 0`)
}

// A queue that answers late or never: KEDA holds a lock while it waits, so the answer must be an error, soon.
func TestASlowQueueIsAnErrorWithinASecond(t *testing.T) {
	t.Parallel()
	for queue, action := range map[string]any{"loop-slow": latency(5_000), "loop-hanging": "hang"} {
		shared.sqs.givenQueue(t, queue, action)
		made := givenCluster(t, queue, clusterOptions{triggerType: "external", address: shared.scaler, sqs: shared.sqs, pollingInterval: never})
		cache, err := made.keda.GetScalersCache(t.Context(), made.object(t))
		if err != nil {
			t.Fatal(err)
		}
		asked := time.Now()
		specs := cache.GetMetricSpecForScaling(t.Context())
		results.check(t, loopArea, len(specs) == 1 && time.Since(asked) < busyMachine, "%s: %d specs after %v", queue, len(specs), time.Since(asked))
		asked = time.Now()
		_, _, _, err = cache.GetMetricsAndActivityForScaler(t.Context(), 0, metricName(queue))
		took := time.Since(asked)
		isError := err != nil && strings.Contains(err.Error(), "SQS has not answered")
		results.check(t, loopArea, isError && took < 2*sluiceDeadline+busyMachine, "%s: %v after %v for KEDA's two attempts", queue, err, took)
	}
}

// With SQS down the spec is still there, so that KEDA's fallback counts the failures and does its work.
func TestFallbackFiresWhenSQSIsDown(t *testing.T) {
	t.Parallel()
	queue := "loop-fallback"
	sqs, own := mustStartSQS(t, "127.0.0.1:0")
	own.givenQueue(t, queue)
	fallback := &kedav1alpha1.Fallback{FailureThreshold: 3, Replicas: 4}
	made := givenCluster(t, queue, clusterOptions{triggerType: "external", address: shared.scaler, sqs: own, pollingInterval: never, fallback: fallback})
	made.assertAnswersAgain(t, `"`+metricName(queue)+`" 0`)
	sqs.kill()
	for failure := range fallback.FailureThreshold {
		value, err := made.autoscalerAsks(t.Context())
		results.check(t, loopArea, err != nil, "failure %d: %s instead of an error", failure+1, value)
	}
	value, err := made.autoscalerAsks(t.Context())
	// Four replicas at five messages each.
	results.check(t, loopArea, err == nil && value == `"`+metricName(queue)+`" 20`, "fallback: %s, %v, events %q", value, err, made.told())

	_, own = mustStartSQS(t, strings.TrimPrefix(own.endpoint, "http://"))
	own.givenQueue(t, queue)
	own.send(t, queue, "work")
	made.assertAnswersAgain(t, `"`+metricName(queue)+`" 1`)
}

// assertAnswersAgain waits until the autoscaler gets the value.
func (c *cluster) assertAnswersAgain(t *testing.T, wanted string) {
	t.Helper()
	var value string
	var err error
	holds := eventually(reconnectPatience, func() bool {
		value, err = c.autoscalerAsks(t.Context())
		return err == nil && value == wanted
	})
	results.check(t, loopArea, holds, "the autoscaler is told %s, %v, wanted %s", value, err, wanted)
}

func eventually(patience time.Duration, holds func() bool) bool {
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		if holds() {
			return true
		}
	}
	return holds()
}

func mustStartSQS(t *testing.T, address string) (*process, localSQS) {
	t.Helper()
	started, err := startProcess("endpoint", "local", "--listen", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(started.stop)
	return started, localSQS{endpoint: started.told["endpoint"]}
}

// freeAddress was free a moment ago; nobody but the tests of this package takes it.
func freeAddress(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().String()
}
