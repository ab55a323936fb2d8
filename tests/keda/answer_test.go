// One trigger, asked of KEDA's own scaler and of Sluice through KEDA's external scaler.

package conformance

import (
	"context"
	"fmt"
	"maps"
	"strings"
	"time"

	kedav1alpha1 "github.com/kedacore/keda/v2/apis/keda/v1alpha1"
	"github.com/kedacore/keda/v2/pkg/scalers"
	"github.com/kedacore/keda/v2/pkg/scalers/scalersconfig"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	"k8s.io/metrics/pkg/apis/external_metrics"
)

// KEDA's scaler tries three times with a pause between; nothing may take longer.
const answerPatience = time.Minute

// trigger is one entry of a ScaledObject's triggers with what surrounds it.
type trigger struct {
	metadata map[string]string
	// environment is that of the workload's container, where `...FromEnv` looks.
	environment map[string]string
	// authentication comes from a TriggerAuthentication. Only KEDA's own scaler sees it.
	authentication map[string]string
	podIdentity    kedav1alpha1.AuthPodIdentity
	metricType     autoscalingv2.MetricTargetType
	index          int
}

// answer is everything that KEDA learns from a scaler at one poll.
type answer struct {
	// spec has the metric's name, its target type and its target.
	spec     string
	value    string
	isActive bool
	// metadataError came before any queue was asked for, queueError after.
	metadataError error
	queueError    error
}

func (a answer) String() string {
	switch {
	case a.metadataError != nil:
		return fmt.Sprintf("metadata error: %v", a.metadataError)
	case a.queueError != nil:
		return fmt.Sprintf("%s, queue error: %v", a.spec, a.queueError)
	default:
		return fmt.Sprintf("%s, value %s, active %t", a.spec, a.value, a.isActive)
	}
}

// askKeda asks KEDA's aws-sqs-queue scaler.
func askKeda(ctx context.Context, t trigger) answer {
	scaler, err := scalers.NewAwsSqsQueueScaler(ctx, t.config("aws-sqs-queue"))
	if err != nil {
		return answer{metadataError: err}
	}
	defer scaler.Close(ctx)
	return observe(ctx, scaler, scaler.GetMetricSpecForScaling(ctx))
}

// askSluice asks the scaler at address through KEDA's external scaler.
func askSluice(ctx context.Context, t trigger, address string) answer {
	scaler, err := scalers.NewExternalScaler(t.externalConfig("external", address))
	if err != nil {
		return answer{metadataError: err}
	}
	defer scaler.Close(ctx)
	specs := scaler.GetMetricSpecForScaling(ctx)
	if len(specs) > 0 {
		return observe(ctx, scaler, specs)
	}
	// KEDA only logs why there is no spec; the other calls give the same error, and it shows theirs.
	anyName := scalers.GenerateMetricNameWithIndex(t.index, "any")
	_, _, err = scaler.GetMetricsAndActivity(ctx, anyName)
	return answer{metadataError: err}
}

// observe polls a scaler as KEDA's scale loop does.
func observe(ctx context.Context, scaler scalers.Scaler, specs []autoscalingv2.MetricSpec) answer {
	seen := answer{spec: specText(specs)}
	values, isActive, err := scaler.GetMetricsAndActivity(ctx, specs[0].External.Metric.Name)
	if err != nil {
		seen.queueError = err
		return seen
	}
	seen.value, seen.isActive = valueText(values), isActive
	return seen
}

func specText(specs []autoscalingv2.MetricSpec) string {
	texts := make([]string, 0, len(specs))
	for _, spec := range specs {
		metric := spec.External
		target := metric.Target.AverageValue
		if target == nil {
			target = metric.Target.Value
		}
		texts = append(texts, fmt.Sprintf("%s %s %q %s %s", spec.Type, "metric", metric.Metric.Name, metric.Target.Type, target))
	}
	return strings.Join(texts, "; ")
}

func valueText(values []external_metrics.ExternalMetricValue) string {
	texts := make([]string, 0, len(values))
	for _, value := range values {
		texts = append(texts, fmt.Sprintf("%q %s", value.MetricName, value.Value.String()))
	}
	return strings.Join(texts, "; ")
}

// config is what KEDA's operator builds a scaler from.
func (t trigger) config(kind string) *scalersconfig.ScalerConfig {
	return &scalersconfig.ScalerConfig{
		ScalableObjectName:      "orders",
		ScalableObjectNamespace: "shop",
		ScalableObjectType:      "ScaledObject",
		TriggerType:             kind,
		TriggerIndex:            t.index,
		TriggerUniqueKey:        fmt.Sprintf("ScaledObject-shop-orders-%d", t.index),
		TriggerMetadata:         maps.Clone(t.metadata),
		ResolvedEnv:             t.environment,
		AuthParams:              t.authentication,
		PodIdentity:             t.podIdentity,
		MetricType:              t.metricType,
		GlobalHTTPTimeout:       3 * time.Second,
	}
}

// externalConfig is the same trigger after the migration: another type, and the scaler's address.
func (t trigger) externalConfig(kind, address string) *scalersconfig.ScalerConfig {
	config := t.config(kind)
	if config.TriggerMetadata == nil {
		config.TriggerMetadata = map[string]string{}
	}
	config.TriggerMetadata["scalerAddress"] = address
	return config
}
