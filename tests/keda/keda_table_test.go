// The cases of KEDA's own tests of its aws-sqs-queue scaler, told again for both scalers.

package conformance

import (
	"fmt"
	"maps"
	"testing"

	kedav1alpha1 "github.com/kedacore/keda/v2/apis/keda/v1alpha1"
)

const (
	kedaTableArea  = "KEDA's own tables"
	properURL      = "https://sqs.eu-west-1.amazonaws.com/account_id/DeleteArtifactQ"
	missingName    = "https://sqs.eu-west-1.amazonaws.com/account_id"
	missingPath    = "https://sqs.eu-west-1.amazonaws.com"
	environmentURL = "QUEUE_URL"
)

// keda is a row: metadata beside a length and a region, and whether KEDA expects an error.
type kedaRow struct {
	name     string
	metadata map[string]string
	isError  bool
}

var kedaRows = []kedaRow{
	{"a proper queue and region", map[string]string{"queueURL": properURL}, false},
	{"another endpoint", map[string]string{"queueURL": properURL, "awsEndpoint": "(local)"}, false},
	{"no queue name", map[string]string{"queueURL": missingName}, true},
	{"no path", map[string]string{"queueURL": missingPath}, true},
	{"no region", map[string]string{"queueURL": properURL, "awsRegion": ""}, true},
	{"a length that is no number", map[string]string{"queueURL": properURL, "queueLength": "a"}, true},
	{"an activation length", map[string]string{"queueURL": properURL, "activationQueueLength": "1"}, false},
	{"an activation length that is no number", map[string]string{"queueURL": properURL, "activationQueueLength": "a"}, true},
	{"the operator's identity", map[string]string{"queueURL": properURL, "identityOwner": "operator"}, false},
	{"a bare name", map[string]string{"queueURL": "my-queue"}, false},
	{"a bare name without in-flight", map[string]string{"queueURL": "my-queue", "scaleOnInFlight": "false"}, false},
	{"a bare name with in-flight", map[string]string{"queueURL": "my-queue", "scaleOnInFlight": "true"}, false},
	{"a URL from the environment", map[string]string{"queueURLFromEnv": environmentURL}, false},
	{"no URL at all", map[string]string{}, true},
	{"an empty variable", map[string]string{"queueURLFromEnv": "EMPTY_ENV_VAR"}, true},
	{"a missing variable", map[string]string{"queueURLFromEnv": "MISSING_ENV_VAR"}, true},
	{"without delayed", map[string]string{"queueURL": properURL, "scaleOnDelayed": "false"}, false},
	{"with delayed", map[string]string{"queueURL": properURL, "scaleOnDelayed": "true"}, false},
	{"without in-flight and delayed", map[string]string{"queueURL": properURL, "scaleOnInFlight": "false", "scaleOnDelayed": "false"}, false},
	{"with in-flight and delayed", map[string]string{"queueURL": properURL, "scaleOnInFlight": "true", "scaleOnDelayed": "true"}, false},
	{"a queue that SQS refuses", map[string]string{"queueURL": "https://sqs.eu-west-1.amazonaws.com/account_id/Error", "scaleOnInFlight": "false"}, false},
	{"a count that is no number", map[string]string{"queueURL": "https://sqs.eu-west-1.amazonaws.com/account_id/BadData"}, false},
}

func TestKedasOwnTable(t *testing.T) {
	shared.sqs.forgetFaults(t)
	for _, queue := range []string{"DeleteArtifactQ", "my-queue"} {
		shared.sqs.givenQueue(t, queue, attributeValue(visible, "200"), attributeValue(inFlight, "100"), attributeValue(delayed, "50"))
	}
	shared.sqs.givenQueue(t, "BadData", attributeValue(visible, "NotInt"), attributeValue(inFlight, "NotInt"))
	scenarios := []scenario{{name: "nothing at all", trigger: trigger{metadata: map[string]string{}, authentication: staticKeys()}}}
	for _, row := range kedaRows {
		for index := range 2 {
			asked := row.trigger()
			asked.index = index
			scenarios = append(scenarios, scenario{name: fmt.Sprintf("%s, index %d", row.name, index), trigger: asked})
			results.check(t, kedaTableArea, (askKeda(t.Context(), asked).metadataError != nil) == row.isError, "KEDA itself: %s", row.name)
		}
	}
	compareAll(t, kedaTableArea, 8, scenarios)
}

// trigger moves the row's keys: KEDA's tests have them in a TriggerAuthentication, Sluice reads them
// from the metadata.
func (r kedaRow) trigger() trigger {
	metadata := map[string]string{"queueLength": "1", "awsRegion": "eu-west-1", "awsAccessKeyIDFromEnv": "KEY_ID", "awsSecretAccessKeyFromEnv": "SECRET"}
	maps.Copy(metadata, r.metadata)
	if metadata["awsEndpoint"] != "" {
		metadata["awsEndpoint"] = shared.sqs.endpoint
	}
	environment := map[string]string{"KEY_ID": "none", "SECRET": "none", environmentURL: properURL, "EMPTY_ENV_VAR": ""}
	return trigger{metadata: metadata, environment: environment, authentication: staticKeys()}
}

func staticKeys() map[string]string {
	return map[string]string{"awsAccessKeyId": "none", "awsSecretAccessKey": "none"}
}

// Keys and roles that only KEDA's own scaler can see: what is wrong with them, Sluice does not know.
func TestCredentialsInATriggerAuthenticationAreNotForwarded(t *testing.T) {
	shared.sqs.forgetFaults(t)
	shared.sqs.givenQueue(t, "my-queue", attributeValue(visible, "200"))
	withoutKeys := trigger{metadata: map[string]string{"queueURL": "my-queue", "awsRegion": "eu-west-1"}}
	with := func(authentication map[string]string) trigger {
		asked := withoutKeys
		asked.authentication = authentication
		return asked
	}
	compareAll(t, kedaTableArea, 4, []scenario{
		{name: "static keys", trigger: with(staticKeys())},
		{name: "keys with a session token", trigger: with(map[string]string{"awsAccessKeyID": "none", "awsSecretAccessKey": "none", "awsSessionToken": "none"})},
		{name: "no key id", trigger: with(map[string]string{"awsAccessKeyId": "", "awsSecretAccessKey": "none"}), meant: triggerAuthentication},
		{name: "no secret", trigger: with(map[string]string{"awsAccessKeyId": "none", "awsSecretAccessKey": ""}), meant: triggerAuthentication},
		{name: "no key id, a token", trigger: with(map[string]string{"awsAccessKeyId": "", "awsSecretAccessKey": "none", "awsSessionToken": "none"}), meant: triggerAuthentication},
		{name: "no secret, a token", trigger: with(map[string]string{"awsAccessKeyId": "none", "awsSecretAccessKey": "", "awsSessionToken": "none"}), meant: triggerAuthentication},
		{name: "the pod's identity", trigger: trigger{metadata: withoutKeys.metadata, podIdentity: kedav1alpha1.AuthPodIdentity{Provider: kedav1alpha1.PodIdentityProviderAws}}},
		{name: "no keys at all", trigger: withoutKeys, meant: ownIdentity},
	})
}

// The numbers of KEDA's table of answers.
func TestKedasOwnAnswers(t *testing.T) {
	shared.sqs.forgetFaults(t)
	var scenarios []scenario
	for number, texts := range [][3]string{{"1", "0", "0"}, {"NotInt", "0", "0"}, {"2147483647", "0", "0"}, {"2147483648", "0", "0"}} {
		queue := fmt.Sprintf("keda-answer-%d", number)
		shared.sqs.givenQueue(t, queue, attributeValue(visible, texts[0]), attributeValue(inFlight, texts[1]), attributeValue(delayed, texts[2]))
		scenarios = append(scenarios, flagScenarios(queue, fmt.Sprint(texts))...)
	}
	shared.sqs.givenQueue(t, "keda-answer-none", missingAttribute(visible), missingAttribute(inFlight), missingAttribute(delayed))
	compareAll(t, kedaTableArea, 8, append(scenarios, flagScenarios("keda-answer-none", "no attributes")...))
}
