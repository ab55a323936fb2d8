// SQS that refuses, fails, lies or breaks off: not knowing is an error, and the same one.

package conformance

import (
	"fmt"
	"testing"
)

// What may stand where a count is expected.
var countTexts = []string{
	"0", "7", "-1", "-7", "+1", "007", "2147483647", "2147483648", "9007199254740993", "9223372036854775807", "9223372036854775808", "-9223372036854775808", "-9223372036854775809",
	"NotInt", "", " ", " 1", "1 ", "1.0", "1e3", "0x1", "1_000", "１", "∞", "null", "true", "-", "+", "--1", "1\n", "1\t2", "a\"b", "a\\b", "é", "\u200b", "\u007f", "9223372036854775808x",
}

func TestAttributesAreReadAsKedaReadsThem(t *testing.T) {
	shared.sqs.forgetFaults(t)
	var scenarios []scenario
	for _, attribute := range []string{visible, inFlight, delayed} {
		queue := "missing-" + attribute
		shared.sqs.givenQueue(t, queue, missingAttribute(attribute))
		scenarios = append(scenarios, flagScenarios(queue, attribute+" missing")...)
		for number, text := range countTexts {
			queue := fmt.Sprintf("text-%d-%s", number, attribute)
			shared.sqs.givenQueue(t, queue, attributeValue(attribute, text))
			scenarios = append(scenarios, flagScenarios(queue, fmt.Sprintf("%s %q", attribute, text))...)
		}
	}
	compareAll(t, "attributes", 8, scenarios)
}

func flagScenarios(queue, name string) []scenario {
	var scenarios []scenario
	for _, flags := range flagsToTry {
		asked := givenTrigger(map[string]string{"queueURL": queue, "scaleOnInFlight": flags[0], "scaleOnDelayed": flags[1]})
		scenarios = append(scenarios, scenario{name: fmt.Sprintf("%s, flags %v", name, flags), trigger: asked})
	}
	return scenarios
}

// What SQS does instead of an answer, for good.
var refusals = map[string]any{
	"throttled":         "throttle",
	"garbage":           "garbage",
	"broken-connection": "drop_connection",
}

// Statuses that SQS, or something before it, may answer with.
var statuses = []int{400, 401, 403, 404, 409, 413, 429, 500, 502, 503, 504}

func TestAQueueThatCannotBeReadIsAnError(t *testing.T) {
	shared.sqs.forgetFaults(t)
	scenarios := flagScenarios("no-such-queue", "no such queue")
	for name, action := range refusals {
		shared.sqs.givenQueue(t, name, action)
		scenarios = append(scenarios, flagScenarios(name, name)...)
	}
	for _, status := range statuses {
		queue := fmt.Sprintf("status-%d", status)
		shared.sqs.givenQueue(t, queue, serverError(status))
		scenarios = append(scenarios, flagScenarios(queue, queue)...)
	}
	// KEDA's scaler waits seconds between its attempts, so they all wait at once.
	compareAll(t, "refusals", 64, scenarios)
}

// One failure of a request is mended within it.
func TestOneFailureIsNoError(t *testing.T) {
	shared.sqs.forgetFaults(t)
	once := 1
	for name, action := range map[string]any{"once-throttled": "throttle", "once-500": serverError(500), "once-503": serverError(503), "once-broken": "drop_connection"} {
		shared.sqs.givenQueue(t, name, attributeValue(visible, "3"))
		asked := givenTrigger(map[string]string{"queueURL": name})
		for ask, by := range map[string]func() answer{
			"keda":   func() answer { return askKeda(t.Context(), asked) },
			"sluice": func() answer { return askSluice(t.Context(), asked, shared.scaler) },
		} {
			shared.sqs.givenFault(t, fault{Queue: name, Requests: &once, Action: action})
			seen := by()
			results.check(t, "refusals", seen.queueError == nil && seen.isActive, "%s: %s sees %v", name, ask, seen)
		}
	}
}
