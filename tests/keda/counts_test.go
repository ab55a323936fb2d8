// Counts x flags x activation x queue length: the numbers that KEDA scales by.

package conformance

import (
	"fmt"
	"maps"
	"strconv"
	"testing"

	autoscalingv2 "k8s.io/api/autoscaling/v2"
)

// Around the default queue length, around nothing, and beyond 32 bits.
var countsToTry = []int64{0, 1, 4, 5, 6, 1 << 31}

// An absent key is the empty text, which KEDA takes for absent.
var (
	activationsToTry  = []string{"", "0", "1", "5", "6", "2147483648"}
	queueLengthsToTry = []string{"", "1", "5", "0", "-1", " 7 ", "100", "2147483648", "9223372036854775807"}
	flagsToTry        = [][2]string{{"", ""}, {"true", "true"}, {"false", "false"}, {"false", "true"}}
)

type counts struct {
	visible, inFlight, delayed int64
}

func (c counts) queue() string {
	return fmt.Sprintf("counts-%d-%d-%d", c.visible, c.inFlight, c.delayed)
}

func TestTheNumbersAreThoseOfKeda(t *testing.T) {
	shared.sqs.forgetFaults(t)
	var scenarios []scenario
	for _, each := range allCounts() {
		givenCounts(t, each)
		for _, flags := range flagsToTry {
			for _, activation := range activationsToTry {
				scenarios = append(scenarios, countScenario(each, flags, activation, len(scenarios)))
			}
		}
	}
	compareAll(t, "counts, flags, activation", 8, scenarios)
}

func allCounts() []counts {
	var all []counts
	for _, visible := range countsToTry {
		for _, inFlight := range countsToTry {
			for _, delayed := range countsToTry {
				all = append(all, counts{visible, inFlight, delayed})
			}
		}
	}
	return all
}

func givenCounts(t *testing.T, c counts) {
	t.Helper()
	text := func(count int64) string { return strconv.FormatInt(count, 10) }
	shared.sqs.givenQueue(t, c.queue(),
		attributeValue(visible, text(c.visible)),
		attributeValue(inFlight, text(c.inFlight)),
		attributeValue(delayed, text(c.delayed)))
}

// countScenario varies what does not depend on the counts (length, URL form, index, type) with the
// number of the case: all pairs would be many times more cases that say nothing new.
func countScenario(c counts, flags [2]string, activation string, number int) scenario {
	urls := []string{shared.sqs.url(c.queue()), c.queue(), "/000000000000/" + c.queue(), "https://sqs.eu-west-1.amazonaws.com/1/" + c.queue()}
	types := []autoscalingv2.MetricTargetType{"", autoscalingv2.AverageValueMetricType, autoscalingv2.ValueMetricType}
	asked := givenTrigger(map[string]string{
		"queueURL":              urls[number%len(urls)],
		"queueLength":           queueLengthsToTry[number%len(queueLengthsToTry)],
		"activationQueueLength": activation,
		"scaleOnInFlight":       flags[0],
		"scaleOnDelayed":        flags[1],
	})
	asked.index, asked.metricType = number%13, types[number%len(types)]
	return scenario{name: fmt.Sprintf("%s, flags %v, activation %q", c.queue(), flags, activation), trigger: asked}
}

// givenTrigger is a good trigger for the local SQS with other metadata; an empty value takes a key away.
func givenTrigger(changes map[string]string) trigger {
	metadata := map[string]string{
		"awsRegion":                 "eu-west-1",
		"awsEndpoint":               shared.sqs.endpoint,
		"awsAccessKeyIDFromEnv":     "KEY_ID",
		"awsSecretAccessKeyFromEnv": "SECRET",
	}
	maps.Copy(metadata, changes)
	maps.DeleteFunc(metadata, func(_, value string) bool { return value == "" })
	environment := map[string]string{"KEY_ID": "test", "SECRET": "test"}
	return trigger{metadata: metadata, environment: environment}
}
