// The streams of an external-push trigger, through KEDA's push scaler.

package conformance

import (
	"context"
	"errors"
	"io"
	"testing"
	"time"

	"github.com/kedacore/keda/v2/pkg/scalers"
	"github.com/kedacore/keda/v2/pkg/scalers/externalscaler"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
)

const (
	pushArea = "push"
	// A stream opens, looks at its queue and answers in milliseconds; the rest is for a busy machine.
	atOnce = 2 * time.Second
	// The stream looks at its queue each second.
	edgePatience = 3 * time.Second
	// An edge is repeated 2 s and 10 s later, and then never: the unit test of the server's
	// activity.rs plays ten minutes, this one watches long enough to see a third repetition.
	edgeWatch      = 40 * time.Second
	resendsMax     = 2
	reconnectAfter = 2 * time.Second
	// KEDA's pause begins when its client notices the end, and the new server starts meanwhile.
	reconnectSlack = 2 * time.Second
)

// pushed is what KEDA's push scaler was told, and when.
type pushed struct {
	isActive bool
	at       time.Time
}

// givenPush runs KEDA's push scaler against address until the test ends.
func givenPush(t *testing.T, queue, address string) (scalers.PushScaler, <-chan pushed) {
	t.Helper()
	scaler, err := scalers.NewExternalPushScaler(givenTrigger(map[string]string{"queueURL": queue}).externalConfig("external-push", address))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	active, told := make(chan bool), make(chan pushed, 1_000)
	go scaler.Run(ctx, active)
	go func() {
		defer close(told)
		for isActive := range active {
			told <- pushed{isActive, time.Now()}
		}
	}()
	t.Cleanup(func() {
		cancel()
		for range told {
		}
		_ = scaler.Close(context.Background())
	})
	return scaler, told
}

// next waits for a push; false when none comes.
func next(told <-chan pushed, patience time.Duration) (pushed, bool) {
	select {
	case push, isOpen := <-told:
		return push, isOpen
	case <-time.After(patience):
		return pushed{}, false
	}
}

// during collects the pushes of a while.
func during(told <-chan pushed, while time.Duration) []pushed {
	var all []pushed
	for end := time.Now().Add(while); ; {
		push, isTold := next(told, time.Until(end))
		if !isTold {
			return all
		}
		all = append(all, push)
	}
}

func TestTheStateIsPushedAtOnce(t *testing.T) {
	t.Parallel()
	for queue, messages := range map[string]int{"push-empty": 0, "push-filled": 1} {
		shared.sqs.givenQueue(t, queue)
		for range messages {
			shared.sqs.send(t, queue, "work")
		}
		opened := time.Now()
		scaler, told := givenPush(t, queue, shared.scaler)
		first, isTold := next(told, atOnce)
		results.check(t, pushArea, isTold && first.isActive == (messages > 0), "%s: first push %+v, told %t", queue, first, isTold)
		assertSpecAtOnce(t, scaler, queue, opened)
	}
}

// Since 2.21 KEDA also takes the spec from a stream.
func assertSpecAtOnce(t *testing.T, scaler scalers.PushScaler, queue string, opened time.Time) {
	t.Helper()
	streamer, isStreamer := scaler.(scalers.MetricSpecStreamer)
	if !isStreamer {
		t.Fatal("this KEDA has no StreamMetricSpec")
	}
	select {
	case specs := <-streamer.MetricSpecChan():
		polled := scaler.GetMetricSpecForScaling(t.Context())
		results.check(t, pushArea, specText(specs) == specText(polled), "%s: the stream says %s, the poll %s", queue, specText(specs), specText(polled))
	case <-time.After(time.Until(opened.Add(atOnce))):
		results.check(t, pushArea, false, "%s: no spec %v after the stream was opened", queue, atOnce)
	}
}

// A `true` that is repeated would keep a workload from ever scaling to zero: KEDA restarts the cooldown.
func TestAnEdgeIsPushedOnceAndRepeatedTwiceAtMost(t *testing.T) {
	t.Parallel()
	queue := "push-edge"
	shared.sqs.givenQueue(t, queue)
	scaler, told := givenPush(t, queue, shared.scaler)
	if first, isTold := next(told, atOnce); !isTold || first.isActive {
		t.Fatalf("first push %+v, told %t", first, isTold)
	}
	sent := time.Now()
	shared.sqs.send(t, queue, "work")
	edge, isTold := next(told, edgePatience)
	results.check(t, pushArea, isTold && edge.isActive, "no edge %v after a message was sent", time.Since(sent))
	repeated := during(told, edgeWatch)
	for _, push := range repeated {
		results.check(t, pushArea, push.isActive, "`false` %v after the edge of a queue that has work", push.at.Sub(edge.at))
	}
	results.check(t, pushArea, len(repeated) <= resendsMax, "%d repetitions of one edge: %+v", len(repeated), repeated)

	received, _ := shared.sqs.receive(t, queue)
	shared.sqs.remove(t, queue, received)
	// While there is work the stream learns from KEDA's polls that it is done.
	observe(t.Context(), scaler, scaler.GetMetricSpecForScaling(t.Context()))
	after := during(told, edgePatience)
	results.check(t, pushArea, len(after) == 0 || !after[0].isActive, "pushes after the work was done: %+v", after)
	shared.sqs.send(t, queue, "more work")
	second, isTold := next(told, edgePatience)
	results.check(t, pushArea, isTold && second.isActive, "no second edge")
}

// KEDA comes back after 2 s when a stream ended with OK; after an error it waits longer each time.
func TestStreamsEndWithOkWhenTheScalerStops(t *testing.T) {
	t.Parallel()
	queue := "push-stop"
	shared.sqs.givenQueue(t, queue)
	scaler := mustStartScaler(t, "127.0.0.1:0")
	ends := givenEnds(t, rawClient(t, scaler.told["grpc"]), queue)
	time.Sleep(atOnce / 4)
	scaler.stop()
	assertEndsWithOk(t, ends)
}

// A connection that retires asks its client to leave (GOAWAY), which refuses no call and cuts off none.
func TestStreamsEndWithOkWhenTheirConnectionRetiresAndCallsGoOn(t *testing.T) {
	t.Parallel()
	queue := "push-retire"
	shared.sqs.givenQueue(t, queue)
	shared.sqs.send(t, queue, "work")
	scaler := mustStartScaler(t, "127.0.0.1:0", "--connection-age-seconds", "2")
	client := rawClient(t, scaler.told["grpc"])
	ends := givenEnds(t, client, queue)
	done := make(chan struct{})
	go func() {
		defer close(done)
		assertEndsWithOk(t, ends)
	}()
	for calls := 0; ; calls++ {
		answer, err := client.IsActive(t.Context(), rawReference(queue))
		results.check(t, pushArea, err == nil && answer.GetResult(), "call %d while connections retire: %v, %v", calls, answer, err)
		select {
		case <-done:
			return
		case <-time.After(atOnce / 20):
		}
	}
}

// givenEnds opens both streams of a trigger and tells how each ends.
func givenEnds(t *testing.T, client externalscaler.ExternalScalerClient, queue string) map[string]<-chan error {
	t.Helper()
	activity, err := client.StreamIsActive(t.Context(), rawReference(queue))
	if err != nil {
		t.Fatal(err)
	}
	specs, err := client.StreamMetricSpec(t.Context(), rawReference(queue))
	if err != nil {
		t.Fatal(err)
	}
	return map[string]<-chan error{
		"StreamIsActive":   endOf(func() error { _, err := activity.Recv(); return err }),
		"StreamMetricSpec": endOf(func() error { _, err := specs.Recv(); return err }),
	}
}

func assertEndsWithOk(t *testing.T, ends map[string]<-chan error) {
	t.Helper()
	for stream, end := range ends {
		err := <-end
		results.check(t, pushArea, errors.Is(err, io.EOF), "%s ended with %v", stream, err)
	}
}

func TestKedaIsBackSoonAfterARestart(t *testing.T) {
	t.Parallel()
	queue := "push-restart"
	shared.sqs.givenQueue(t, queue)
	shared.sqs.send(t, queue, "work")
	before := mustStartScaler(t, "127.0.0.1:0")
	address := before.told["grpc"]
	_, told := givenPush(t, queue, address)
	if _, isTold := next(told, atOnce); !isTold {
		t.Fatal("no first push")
	}
	before.stop()
	stopped := time.Now()
	mustStartScaler(t, address)
	serving := time.Now()
	back, isTold := next(told, time.Minute)
	due := stopped.Add(reconnectAfter)
	if serving.After(due) {
		due = serving
	}
	late := back.at.Sub(due)
	results.check(t, pushArea, isTold && back.isActive && late < reconnectSlack, "KEDA came back %v too late (told %t)", late, isTold)
}

// A connection that retires ends its streams with OK, and KEDA is back after 2 s each time: its pause
// never grows, as it would after an error.
func TestKedaIsBackSoonEachTimeAConnectionRetires(t *testing.T) {
	t.Parallel()
	queue, age := "push-age", 3*time.Second
	shared.sqs.givenQueue(t, queue)
	shared.sqs.send(t, queue, "work")
	scaler := mustStartScaler(t, "127.0.0.1:0", "--connection-age-seconds", "3")
	_, told := givenPush(t, queue, scaler.told["grpc"])
	first, isTold := next(told, atOnce)
	if !isTold {
		t.Fatal("no first push")
	}
	// A tenth more of age, the spread of the ends, KEDA's pause, and the next state.
	due := age + age/10 + time.Second + reconnectAfter
	for last, round := first, 1; round <= 4; round++ {
		back, isTold := next(told, due+reconnectSlack)
		between := back.at.Sub(last.at)
		results.check(t, pushArea, isTold && back.isActive && between < due+reconnectSlack/2, "round %d: KEDA came back after %v (told %t)", round, between, isTold)
		last = back
	}
}

func mustStartScaler(t *testing.T, address string, flags ...string) *process {
	t.Helper()
	scaler, err := startScaler(address, flags...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(scaler.stop)
	return scaler
}

// rawClient is a client without KEDA's scaler around it, to see how a stream ends.
func rawClient(t *testing.T, address string) externalscaler.ExternalScalerClient {
	t.Helper()
	connection, err := grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = connection.Close() })
	return externalscaler.NewExternalScalerClient(connection)
}

func rawReference(queue string) *externalscaler.ScaledObjectRef {
	metadata := map[string]string{"queueURL": queue, "awsRegion": "eu-west-1"}
	return &externalscaler.ScaledObjectRef{Name: "orders", Namespace: "shop", ScalerMetadata: metadata}
}

// endOf receives until the stream ends and tells how.
func endOf(receive func() error) <-chan error {
	end := make(chan error, 1)
	go func() {
		for {
			if err := receive(); err != nil {
				end <- err
				return
			}
		}
	}()
	return end
}
