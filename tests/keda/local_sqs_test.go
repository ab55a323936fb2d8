// The local SQS as the tests use it: queues, messages, and the lies it tells on command.

package conformance

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"testing"
)

// The three counts that the scalers read.
const (
	visible  = "ApproximateNumberOfMessages"
	inFlight = "ApproximateNumberOfMessagesNotVisible"
	delayed  = "ApproximateNumberOfMessagesDelayed"
)

type localSQS struct {
	endpoint string
}

// fault is a rule about one queue; a nil Requests means for good.
type fault struct {
	Operation string `json:"operation"`
	Queue     string `json:"queue"`
	Requests  *int   `json:"requests,omitempty"`
	Action    any    `json:"action"`
}

// attributeValue is the action that gives an attribute a value, whatever is true.
func attributeValue(name, value string) any {
	return map[string]any{"attribute_value": map[string]string{"name": name, "value": value}}
}

func missingAttribute(name string) any {
	return map[string]string{"missing_attribute": name}
}

func serverError(status int) any {
	return map[string]int{"server_error": status}
}

func latency(milliseconds int) any {
	return map[string]int{"latency_millis": milliseconds}
}

// url is the URL that SQS gives a queue.
func (s localSQS) url(queue string) string {
	return s.endpoint + "/000000000000/" + queue
}

// givenQueue creates a queue and has it tell the lies, each for every request.
func (s localSQS) givenQueue(t testing.TB, queue string, lies ...any) {
	t.Helper()
	s.must(t, "CreateQueue", map[string]any{"QueueName": queue}, nil)
	for _, lie := range lies {
		s.givenFault(t, fault{Queue: queue, Action: lie})
	}
}

func (s localSQS) givenFault(t testing.TB, rule fault) {
	t.Helper()
	rule.Operation = "GetQueueAttributes"
	body, err := json.Marshal(rule)
	if err != nil {
		t.Fatal(err)
	}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.endpoint+"/_sluice/faults", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	if _, err := answerTo(request); err != nil {
		t.Fatal(err)
	}
}

// forgetFaults takes all rules away, whoever made them: never while other tests run.
func (s localSQS) forgetFaults(t testing.TB) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodDelete, s.endpoint+"/_sluice/faults", nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := answerTo(request); err != nil {
		t.Fatal(err)
	}
}

func (s localSQS) send(t testing.TB, queue string, body string) {
	t.Helper()
	s.must(t, "SendMessage", map[string]any{"QueueUrl": queue, "MessageBody": body}, nil)
}

type message struct {
	Body          string
	ReceiptHandle string
}

// receive takes one message in flight for the rest of the test; false when none is visible.
func (s localSQS) receive(t testing.TB, queue string) (message, bool) {
	t.Helper()
	var answer struct{ Messages []message }
	request := map[string]any{"QueueUrl": queue, "MaxNumberOfMessages": 1, "VisibilityTimeout": 43_200}
	s.must(t, "ReceiveMessage", request, &answer)
	if len(answer.Messages) == 0 {
		return message{}, false
	}
	return answer.Messages[0], true
}

func (s localSQS) remove(t testing.TB, queue string, received message) {
	t.Helper()
	s.must(t, "DeleteMessage", map[string]any{"QueueUrl": queue, "ReceiptHandle": received.ReceiptHandle}, nil)
}

func (s localSQS) must(t testing.TB, operation string, input, output any) {
	t.Helper()
	if err := s.call(t, operation, input, output); err != nil {
		t.Fatalf("%s: %v", operation, err)
	}
}

// call makes one request as the AWS SDKs do, without a signature: the local SQS checks none.
func (s localSQS) call(t testing.TB, operation string, input, output any) error {
	body, err := json.Marshal(input)
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.endpoint, bytes.NewReader(body))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/x-amz-json-1.0")
	request.Header.Set("X-Amz-Target", "AmazonSQS."+operation)
	answer, err := answerTo(request)
	if err != nil || output == nil {
		return err
	}
	return json.Unmarshal(answer, output)
}

func answerTo(request *http.Request) ([]byte, error) {
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode >= http.StatusBadRequest {
		err = fmt.Errorf("%s: %s", response.Status, body)
	}
	return body, err
}
