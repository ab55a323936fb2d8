// Metadata as people write it: numbers, flags, several errors at once, environment, credentials.

package conformance

import (
	"fmt"
	"strings"
	"testing"
)

const metadataArea = "metadata values"

// Good ones, bad ones, and what looks like a number to some parser.
var integersToTry = []string{
	"5", "-1", "0", "-0", " 7 ", "\t8\n", "9223372036854775807", "-9223372036854775808", "9223372036854775808",
	"-9223372036854775809", "99999999999999999999999", "a", "1.5", "5.0", "05", "-05", "00", "+5", "1e1", "1E1", "1e", "1ex", "1e+",
	"1e+1", "1.", "1.x", ".5", "-", "-a", "-.", "--1", "5a", "5 6", "5,6", "1_000", "0x10", "0b1", "0o7", "\"5\"", "\"5",
	"true", "false", "tru", "truex", "t", "f", "fals", "nul", "nulL", "n", "[5]", "[5", "[]", "{}", "{", "{\"a\":1}",
	"'5'", "\"", "٣", "5٣", "５", "∞", "NaN", "Infinity", "-Infinity", "5\u00a0", "\u00a05", "\u20035",
	"\ufeff5", "5\u200b", "\u200b", "5\u0000", "\u007f", "é", "😀", "5é", "//5", "/*5*/5", "5;", "$5", "%5", "`5`", "\\5", "5\\",
	"5\n6", "5\t6", "(5)", "<5>", "#5", "@", "~", "^", "|", "=5", "5=", "1.5.5", "1..5", "1e5.5", "1.0e0", "0.0", "0e0", "0.", "0e", "01.5",
}

// Broken inside of a string, an array or an object.
var brokenComposites = []string{
	"[5,]", "[,]", "{a}", "{\"a\"}", "{\"a\":}", "\"\\x\"", "\"\\u12\"", "\"\u0001\"", "\"a\nb\"",
}

var flagsInWords = []string{
	"1", "t", "T", "TRUE", "true", "True", "0", "f", "F", "FALSE", "false", "False", " true ", "\tfalse\n", "tRUE", "TrUe", "yes", "no", "on", "off",
	"2", "-1", "01", "1.0", "null", "tru", "truee", "t rue", "\"true\"", "'true'", "true\u00a0", "é", "😀", "a\tb", "a\nb", "a\"b", "a\\b", "a\u200bb",
	"a\u00adb", "a\u0000b", "a\u007fb", "a\u0085b", "a\ufeffb", "a\u2028b", "\U000e0001x", "ａ", "`a`", "ä\u0308", "x\u0301", "a\rb", "a\vb", "a\u001bb",
}

func TestValuesAreReadAsKedaReadsThem(t *testing.T) {
	queue := "values"
	shared.sqs.forgetFaults(t)
	shared.sqs.givenQueue(t, queue, attributeValue(visible, "3"), attributeValue(inFlight, "2"), attributeValue(delayed, "1"))
	var scenarios []scenario
	try := func(key, value string) {
		asked := givenTrigger(map[string]string{"queueURL": queue})
		asked.metadata[key] = value
		scenarios = append(scenarios, scenario{name: fmt.Sprintf("%s %q", key, value), trigger: asked})
	}
	for _, value := range append(integersToTry, "") {
		try("queueLength", value)
		try("activationQueueLength", value)
	}
	for _, value := range append(flagsInWords, "") {
		try("scaleOnInFlight", value)
		try("scaleOnDelayed", value)
	}
	for _, value := range []string{"", " ", "\t", "\u00a0", " eu-west-1 ", "us-gov-west-1", "cn-north-1", "local", "eu_west_1", "EU-WEST-1"} {
		try("awsRegion", value)
	}
	for _, key := range []string{"colour", "queuelength", "QueueURL", "metricType", "awsSecretAccessKey", "awsSessionToken", "queueLengthFromEnv", "awsRegionFromEnv", "enableTLS", "unsafeSsl"} {
		try(key, "false")
	}
	compareAll(t, metadataArea, 8, scenarios)
	compareAll(t, metadataArea, 8, integerScenarios(queue, brokenComposites, brokenComposite))
	// The one JSON text with which KEDA's parser panics.
	compareAll(t, metadataArea, 1, integerScenarios(queue, []string{"null"}, panicOnNull))
}

// integerScenarios give each value to each key that wants a number, with the difference that it must show.
func integerScenarios(queue string, values []string, meant *difference) []scenario {
	var scenarios []scenario
	for _, key := range []string{"queueLength", "activationQueueLength"} {
		for _, value := range values {
			asked := givenTrigger(map[string]string{"queueURL": queue, key: value})
			scenarios = append(scenarios, scenario{name: fmt.Sprintf("%s %q", key, value), trigger: asked, meant: meant})
		}
	}
	return scenarios
}

// KEDA tells all that is wrong at once, in the order of its own fields.
func TestErrorsAreToldTogetherAsKedaTellsThem(t *testing.T) {
	wrong := [][2]string{
		{"queueLength", "a"}, {"activationQueueLength", "1.5"}, {"queueURL", " "},
		{"awsRegion", ""}, {"scaleOnInFlight", "yes"}, {"scaleOnDelayed", "no"}, {"queueURL", "https://h/only-account"},
	}
	var scenarios []scenario
	for set := range 1 << len(wrong) {
		asked := givenTrigger(map[string]string{"queueURL": "values"})
		for position, each := range wrong {
			if set&(1<<position) != 0 {
				asked.metadata[each[0]] = each[1]
			}
		}
		scenarios = append(scenarios, scenario{name: fmt.Sprintf("set %07b of wrong values", set), trigger: asked})
	}
	compareAll(t, metadataArea, 8, scenarios)
}

// Where the URL comes from when it is written, left to the environment, or both.
func TestTheQueueUrlMayComeFromTheEnvironment(t *testing.T) {
	shared.sqs.givenQueue(t, "from-environment")
	shared.sqs.givenQueue(t, "from-metadata")
	absent := "(absent)"
	var scenarios []scenario
	for _, written := range []string{absent, "", " ", "from-metadata", " from-metadata ", "https://h/only-account"} {
		for _, variable := range []string{absent, "", " ", "URL", " URL ", "MISSING"} {
			for _, value := range []string{absent, "", " ", "from-environment", " from-environment\n", "https://h/1/from-environment", "https://h/only-account"} {
				asked := givenTrigger(nil)
				setUnless(asked.metadata, absent, "queueURL", written)
				setUnless(asked.metadata, absent, "queueURLFromEnv", variable)
				setUnless(asked.environment, absent, "URL", value)
				name := fmt.Sprintf("queueURL %q, FromEnv %q, environment %q", written, variable, value)
				scenarios = append(scenarios, scenario{name: name, trigger: asked})
			}
		}
	}
	compareAll(t, "queueURLFromEnv", 8, scenarios)
}

func setUnless(values map[string]string, absent, key, value string) {
	if value != absent {
		values[key] = value
	}
}

// credentials is one way to give, or not to give, keys in the metadata.
type credentials struct {
	owner, keyID, keyIDFromEnv, secretFromEnv string
}

// Whose keys are used, and what is told when some are missing.
func TestCredentialsInMetadataAreThoseOfKeda(t *testing.T) {
	shared.sqs.givenQueue(t, "credentials", attributeValue(visible, "3"))
	var scenarios []scenario
	for _, owner := range []string{"", "pod", "operator", "Operator", "POD", " pod ", "workload"} {
		for _, keyID := range []string{"", "literal", " "} {
			for _, keyIDFromEnv := range []string{"", "KEY_ID", "EMPTY", "MISSING"} {
				for _, secretFromEnv := range []string{"", "SECRET", "EMPTY", "MISSING"} {
					given := credentials{owner, keyID, keyIDFromEnv, secretFromEnv}
					scenarios = append(scenarios, given.scenario())
				}
			}
		}
	}
	compareAll(t, "credentials in metadata", 8, scenarios)
}

func (c credentials) scenario() scenario {
	asked := givenTrigger(map[string]string{
		"queueURL": "credentials", "identityOwner": c.owner, "awsAccessKeyID": c.keyID,
		"awsAccessKeyIDFromEnv": c.keyIDFromEnv, "awsSecretAccessKeyFromEnv": c.secretFromEnv,
	})
	if c.keyIDFromEnv == "" {
		delete(asked.metadata, "awsAccessKeyIDFromEnv")
	}
	asked.environment["EMPTY"] = ""
	built := scenario{name: fmt.Sprintf("%+v", c), trigger: asked}
	if c.hasNothing() {
		built.meant = ownIdentity
	}
	return built
}

// hasNothing tells whether KEDA finds no key id and no secret although it looks for them.
func (c credentials) hasNothing() bool {
	return c.areLookedFor() && c.keyID == "" && c.keyIDFromEnv != "KEY_ID" && c.secretFromEnv != "SECRET"
}

func (c credentials) areLookedFor() bool {
	return c.owner == "" || c.owner == "pod"
}

// The log of a run has the list that a user needs.
func TestTheDifferencesHaveReasons(t *testing.T) {
	for _, each := range differences {
		if strings.TrimSpace(each.reason) == "" {
			t.Errorf("%s has no reason", each.name)
		}
		t.Logf("meant difference %q: %s", each.name, each.reason)
	}
}
