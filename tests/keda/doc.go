// Package conformance proves with KEDA's own code that Sluice is a drop-in for the aws-sqs-queue scaler.
//
// It has tests only. They start the sluice binary and a local SQS, put the scalers of a released KEDA
// before both, and compare what KEDA would see. It knows nothing of how Sluice is built.
package conformance
