// The one table of differences that are meant; whoever moves from aws-sqs-queue has to know them.

package conformance

import "strings"

var (
	// ownIdentity: a trigger without keys works, as the scaler.
	ownIdentity = &difference{
		name:   "own identity",
		reason: "KEDA has no identity of its own for this trigger and refuses it; Sluice has one, and asks with it",
		holds: func(keda, sluice answer) bool {
			return isMetadataError(keda, "awsAccessKeyID not found") && sluice.metadataError == nil
		},
	}
	// triggerAuthentication: credentials in a TriggerAuthentication do not arrive.
	triggerAuthentication = &difference{
		name:   "TriggerAuthentication",
		reason: "KEDA does not forward it to external scalers, so what is wrong in it cannot be seen here",
		holds: func(keda, sluice answer) bool {
			return keda.metadataError != nil && sluice.metadataError == nil
		},
	}
	// brokenComposite: a number that is a broken string, array or object.
	brokenComposite = &difference{
		name:   "broken string, array or object",
		reason: "both refuse a number that begins so and is no JSON, but what exactly is wrong inside is told in other words",
		holds: func(keda, sluice answer) bool {
			return isMetadataError(keda, "unable to unmarshal") && isMetadataError(sluice, "unable to unmarshal")
		},
	}
	// panicOnNull: KEDA panics inside, recovers, and shows the stack.
	panicOnNull = &difference{
		name:   "null",
		reason: "KEDA's text is the stack trace of a recovered panic; Sluice says what is wrong with the value",
		holds: func(keda, sluice answer) bool {
			return isMetadataError(keda, "resulted in panic") && sluice.metadataError != nil
		},
	}
	// invalidText: a queue name that is no UTF-8.
	invalidText = &difference{
		name:   "name without text",
		reason: "a decoded name that is no UTF-8 can be neither sent over gRPC nor be the name of a metric in Kubernetes",
		holds: func(keda, sluice answer) bool {
			return keda.spec != sluice.spec && keda.queueError != nil && sluice.queueError != nil
		},
	}
)

// differences is all of them, for the log.
var differences = []*difference{ownIdentity, triggerAuthentication, brokenComposite, panicOnNull, invalidText}

func isMetadataError(a answer, part string) bool {
	return a.metadataError != nil && strings.Contains(a.metadataError.Error(), part)
}
