// ScaledJobs: KEDA's arithmetic fed with Sluice's answers must make one job for each message.

package conformance

import (
	"fmt"
	"maps"
	"testing"

	"github.com/go-logr/logr"
	kedav1alpha1 "github.com/kedacore/keda/v2/apis/keda/v1alpha1"
	"github.com/kedacore/keda/v2/pkg/scalers"
	"github.com/kedacore/keda/v2/pkg/scaling/executor"
	"github.com/kedacore/keda/v2/pkg/scaling/scaledjob"
)

const (
	jobsArea = "ScaledJob arithmetic"
	// Message sets of every size from one to this.
	messageSetMax = 50
	// A job works for so many polls; several, so that polls see running jobs.
	workPolls = 3
	// More polls than any set needs: then something is stuck.
	pollsMax = 500
)

// jobStrategy is a ScaledJob's strategy with the metadata that makes Sluice's answers right for it.
type jobStrategy struct {
	name     string
	spec     kedav1alpha1.ScalingStrategy
	metadata map[string]string
	// pendingPolls is how long a job waits for its pod. Eager ignores jobs that wait when it has room,
	// so it is free of duplicates only where a job takes its message before the next poll.
	pendingPolls int
}

// Strategies that subtract running jobs need messages in flight counted; the others must not see them.
func jobStrategies() []jobStrategy {
	full, none := "1", int32(0)
	custom := kedav1alpha1.ScalingStrategy{Strategy: "custom", CustomScalingQueueLengthDeduction: &none, CustomScalingRunningJobPercentage: full}
	inFlightCounts := map[string]string{"scaleOnInFlight": "true"}
	inFlightDoesNot := map[string]string{"scaleOnInFlight": "false"}
	return []jobStrategy{
		{"default", kedav1alpha1.ScalingStrategy{Strategy: "default"}, inFlightCounts, 1},
		{"custom", custom, inFlightCounts, 1},
		{"accurate", kedav1alpha1.ScalingStrategy{Strategy: "accurate"}, inFlightDoesNot, 1},
		{"eager", kedav1alpha1.ScalingStrategy{Strategy: "eager"}, inFlightDoesNot, 0},
	}
}

func TestEachMessageGetsOneJob(t *testing.T) {
	t.Parallel()
	for _, strategy := range jobStrategies() {
		for _, maxReplicas := range []int32{100, 7} {
			t.Run(fmt.Sprintf("%s-%d", strategy.name, maxReplicas), func(t *testing.T) {
				t.Parallel()
				for messages := 1; messages <= messageSetMax; messages++ {
					playJobs(t, strategy, messages, maxReplicas)
				}
			})
		}
	}
}

// job is a Kubernetes job: it waits for a pod, takes one message, works, and is done.
type job struct {
	pendingPolls, workPolls int
	taken                   *message
}

// jobPlay is a ScaledJob with its queue.
type jobPlay struct {
	t         *testing.T
	strategy  jobStrategy
	scaledJob *kedav1alpha1.ScaledJob
	scaler    scalers.Scaler
	queue     string
	jobs      []*job
	created   int
	finished  int
	idle      int
}

// playJobs sends messages in three waves and polls until all work is done, and a while longer.
func playJobs(t *testing.T, strategy jobStrategy, messages int, maxReplicas int32) {
	t.Helper()
	play := givenJobPlay(t, strategy, messages, maxReplicas)
	wave := (messages + 2) / 3
	sent, quietPolls := 0, 0
	for polls := 0; polls < pollsMax && quietPolls < workPolls; polls++ {
		if polls%workPolls == 0 {
			sent += play.send(min(messages-sent, wave))
		}
		play.poll()
		play.work()
		if play.finished == messages {
			quietPolls++
		}
	}
	results.check(t, jobsArea, play.created == messages && play.finished == messages && play.idle == 0,
		"%s, at most %d: %d messages got %d jobs; %d jobs did their work, %d found no message", strategy.name, maxReplicas, messages, play.created, play.finished, play.idle)
}

func givenJobPlay(t *testing.T, strategy jobStrategy, messages int, maxReplicas int32) *jobPlay {
	t.Helper()
	queue := fmt.Sprintf("jobs-%s-%d-%d", strategy.name, maxReplicas, messages)
	shared.sqs.givenQueue(t, queue)
	metadata := map[string]string{"queueURL": queue, "queueLength": "1"}
	maps.Copy(metadata, strategy.metadata)
	scaler, err := scalers.NewExternalScaler(givenTrigger(metadata).externalConfig("external", shared.scaler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = scaler.Close(t.Context()) })
	scaledJob := &kedav1alpha1.ScaledJob{Spec: kedav1alpha1.ScaledJobSpec{ScalingStrategy: strategy.spec, MaxReplicaCount: &maxReplicas}}
	return &jobPlay{t: t, strategy: strategy, scaledJob: scaledJob, scaler: scaler, queue: queue}
}

func (p *jobPlay) send(messages int) int {
	for range messages {
		shared.sqs.send(p.t, p.queue, "work")
	}
	return messages
}

// poll creates the jobs that KEDA would: see getScaledJobState and createJobs of KEDA.
func (p *jobPlay) poll() {
	specs := p.scaler.GetMetricSpecForScaling(p.t.Context())
	values, isActive, err := p.scaler.GetMetricsAndActivity(p.t.Context(), specs[0].External.Metric.Name)
	if err != nil {
		p.t.Fatal(err)
	}
	maxReplicas := p.scaledJob.MaxReplicaCount()
	length, maxValue, _ := scaledjob.CalculateQueueLengthAndMaxValue(values, specs, maxReplicas)
	metrics := []scaledjob.ScalerMetrics{{QueueLength: length, MaxValue: maxValue, IsActive: isActive}}
	isActive, scaleTo, maxScale, _ := scaledjob.IsScaledJobActive(metrics, "", 0, maxReplicas)
	if !isActive {
		return
	}
	strategy := executor.NewScalingStrategy(logr.Discard(), p.scaledJob)
	effective, scaleTo := strategy.GetEffectiveMaxScale(maxScale, int64(len(p.jobs)), p.pending(), maxReplicas, scaleTo)
	for range min(scaleTo, effective) {
		p.jobs = append(p.jobs, &job{pendingPolls: p.strategy.pendingPolls, workPolls: workPolls})
		p.created++
	}
}

func (p *jobPlay) pending() int64 {
	var pending int64
	for _, each := range p.jobs {
		if each.taken == nil {
			pending++
		}
	}
	return pending
}

// work is what happens between two polls; jobs that are done are gone.
func (p *jobPlay) work() {
	var unfinished []*job
	for _, each := range p.jobs {
		if p.step(each) {
			unfinished = append(unfinished, each)
		}
	}
	p.jobs = unfinished
}

// step lets a job take its message, work or finish; false when it is over.
func (p *jobPlay) step(each *job) bool {
	switch {
	case each.pendingPolls > 0:
		each.pendingPolls--
		return true
	case each.taken == nil:
		received, found := shared.sqs.receive(p.t, p.queue)
		if !found {
			p.idle++
			return false
		}
		each.taken = &received
		return true
	case each.workPolls > 0:
		each.workPolls--
		return true
	default:
		shared.sqs.remove(p.t, p.queue, *each.taken)
		p.finished++
		return false
	}
}
