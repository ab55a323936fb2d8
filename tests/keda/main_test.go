// Starts what all tests share, a local SQS and a scaler that remembers nothing, and prints the table.

package conformance

import (
	"fmt"
	"os"
	"testing"

	"github.com/go-logr/logr"
	"sigs.k8s.io/controller-runtime/pkg/log"
)

// The keys that both sides find in their environment; the local SQS takes any.
const (
	environmentKeyID  = "environment"
	environmentSecret = "environment-secret"
)

// shared is the stage that most tests play on.
var shared struct {
	sqs localSQS
	// scaler is the address of a server without any cache, so that it sees what KEDA's scaler sees.
	scaler string
}

func TestMain(m *testing.M) {
	log.SetLogger(logr.Discard())
	os.Exit(run(m))
}

func run(m *testing.M) int {
	sqs, err := startProcess("endpoint", "local", "--listen", "127.0.0.1:0")
	if err != nil {
		return failed(err)
	}
	defer sqs.stop()
	shared.sqs = localSQS{endpoint: sqs.told["endpoint"]}
	if err := setEnvironment(shared.sqs.endpoint); err != nil {
		return failed(err)
	}
	scaler, err := startScaler("127.0.0.1:0")
	if err != nil {
		return failed(err)
	}
	defer scaler.stop()
	shared.scaler = scaler.told["grpc"]
	code := m.Run()
	fmt.Print(results.table())
	return code
}

func failed(err error) int {
	fmt.Fprintln(os.Stderr, err)
	return 1
}

// setEnvironment gives this process and the scaler the same default credentials and endpoint, so that
// no case, however it goes wrong, asks a real AWS.
func setEnvironment(endpoint string) error {
	for name, value := range map[string]string{
		"AWS_ACCESS_KEY_ID":           environmentKeyID,
		"AWS_SECRET_ACCESS_KEY":       environmentSecret,
		"AWS_EC2_METADATA_DISABLED":   "true",
		"AWS_ENDPOINT_URL":            endpoint,
		"AWS_CONFIG_FILE":             os.DevNull,
		"AWS_SHARED_CREDENTIALS_FILE": os.DevNull,
	} {
		if err := os.Setenv(name, value); err != nil {
			return err
		}
	}
	return nil
}
