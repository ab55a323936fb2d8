// When two answers are equal, and the differences that are meant.

package conformance

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/aws/smithy-go"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// scenario is one case: the same trigger for both scalers.
type scenario struct {
	name    string
	trigger trigger
	// meant is the difference that this case must show; nil where nothing may differ.
	meant *difference
}

// difference is one that a user of Sluice has to know about.
type difference struct {
	name   string
	reason string
	holds  func(keda, sluice answer) bool
}

// compareAll asks both scalers for every scenario, a bounded number of them at once.
func compareAll(t *testing.T, area string, atOnce int, scenarios []scenario) {
	t.Helper()
	places := make(chan struct{}, atOnce)
	var running sync.WaitGroup
	for _, each := range scenarios {
		places <- struct{}{}
		running.Go(func() {
			defer func() { <-places }()
			each.compare(t, area)
		})
	}
	running.Wait()
}

func (s scenario) compare(t *testing.T, area string) {
	ctx, cancel := context.WithTimeout(t.Context(), answerPatience)
	defer cancel()
	keda, sluice := askKeda(ctx, s.trigger), askSluice(ctx, s.trigger, shared.scaler)
	found := differenceOf(keda, sluice)
	switch {
	case s.meant == nil && found == "":
		results.equal(area)
	case s.meant != nil && found != "" && s.meant.holds(keda, sluice):
		results.documented(area)
	default:
		results.different(t, area, s.report(found, keda, sluice))
	}
}

func (s scenario) report(found string, keda, sluice answer) string {
	if s.meant != nil {
		found = fmt.Sprintf("the meant difference %q does not show", s.meant.name)
	}
	return fmt.Sprintf("%s: %s\n  metadata %q\n  environment %q\n  keda:   %v\n  sluice: %v",
		s.name, found, s.trigger.metadata, s.trigger.environment, keda, sluice)
}

// differenceOf says what differs between the answers, or nothing.
func differenceOf(keda, sluice answer) string {
	switch {
	case keda.metadataError != nil || sluice.metadataError != nil:
		return metadataDifference(keda.metadataError, sluice.metadataError)
	case keda.spec != sluice.spec:
		return "another spec"
	case keda.queueError != nil || sluice.queueError != nil:
		return queueDifference(keda.queueError, sluice.queueError)
	case keda.value != sluice.value:
		return "another value"
	case keda.isActive != sluice.isActive:
		return "another activity"
	default:
		return ""
	}
}

// Bad metadata must be refused in KEDA's words.
func metadataDifference(keda, sluice error) string {
	switch {
	case keda == nil || sluice == nil:
		return "only one refuses the metadata"
	case status.Code(sluice) != codes.InvalidArgument:
		return "bad metadata has another code than InvalidArgument"
	case status.Convert(sluice).Message() != keda.Error():
		return "another text"
	default:
		return ""
	}
}

// A queue that cannot be read must be an error that tells at least what KEDA's tells.
func queueDifference(keda, sluice error) string {
	if keda == nil || sluice == nil {
		return "only one can read the queue"
	}
	if code := status.Code(sluice); code != codes.Unavailable && code != codes.NotFound {
		return fmt.Sprintf("an unreadable queue has the code %v", code)
	}
	text := status.Convert(sluice).Message()
	var refusal smithy.APIError
	switch {
	case errors.As(keda, &refusal):
		if !strings.Contains(text, refusal.ErrorCode()) || !strings.Contains(text, refusal.ErrorMessage()) {
			return fmt.Sprintf("the text lacks %q or %q", refusal.ErrorCode(), refusal.ErrorMessage())
		}
	case isAboutAttribute(keda):
		if !strings.HasSuffix(text, keda.Error()) {
			return "the text does not end with KEDA's"
		}
	}
	return ""
}

func isAboutAttribute(err error) bool {
	var number *strconv.NumError
	return errors.As(err, &number) || strings.HasSuffix(err.Error(), "not found in SQS queue attributes")
}
