// The key `scaledJob` names the strategy that asks, and the server counts what that strategy needs.

package conformance

import "testing"

const jobKeyArea = "scaledJob key"

// With the key, a ScaledJob needs no flag: `default` and `custom` count messages in flight, `accurate`
// and `eager` do not, whatever scaleOnInFlight says; `none` and no key leave it to the flag.
func TestTheStrategyDecidesWhetherInFlightCounts(t *testing.T) {
	queue := "scaled-job-key"
	shared.sqs.forgetFaults(t)
	shared.sqs.givenQueue(t, queue, attributeValue(visible, "3"), attributeValue(inFlight, "2"))
	for strategy, meaning := range map[string]string{"": "", "none": "", "default": "true", "custom": "true", "accurate": "false", "eager": "false"} {
		for _, flag := range []string{"", "true", "false"} {
			asked := givenTrigger(map[string]string{"queueURL": queue, "scaledJob": strategy, "scaleOnInFlight": flag})
			plain := flag
			if meaning != "" {
				plain = meaning
			}
			means := givenTrigger(map[string]string{"queueURL": queue, "scaleOnInFlight": plain})
			got, wanted := askSluice(t.Context(), asked, shared.scaler), askSluice(t.Context(), means, shared.scaler)
			results.check(t, jobKeyArea, got == wanted, "scaledJob %q, scaleOnInFlight %q: %v, wanted %v", strategy, flag, got, wanted)
		}
	}
	unknown := askSluice(t.Context(), givenTrigger(map[string]string{"queueURL": queue, "scaledJob": "thorough"}), shared.scaler)
	results.check(t, jobKeyArea, unknown.metadataError != nil, "an unknown strategy: %v", unknown)
}

// The arithmetic with the key alone.
func TestEachMessageGetsOneJobByTheKeyAlone(t *testing.T) {
	for _, strategy := range jobStrategies() {
		strategy.metadata = map[string]string{"scaledJob": strategy.name}
		for messages := 1; messages <= messageSetMax; messages++ {
			playJobs(t, strategy, messages, int32(messageSetMax+1))
		}
	}
}
