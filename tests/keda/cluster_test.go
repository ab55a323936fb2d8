// A cluster of three objects: KEDA's scale handler over a fake Kubernetes client, without any loop of
// its own beside KEDA's.

package conformance

import (
	"context"
	"fmt"
	"testing"
	"time"

	kedav1alpha1 "github.com/kedacore/keda/v2/apis/keda/v1alpha1"
	"github.com/kedacore/keda/v2/pkg/scalers/authentication"
	"github.com/kedacore/keda/v2/pkg/scaling"
	appsv1 "k8s.io/api/apps/v1"
	autoscalingv1 "k8s.io/api/autoscaling/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	scalefake "k8s.io/client-go/scale/fake"
	clienttesting "k8s.io/client-go/testing"
	"k8s.io/client-go/tools/events"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
)

const (
	namespace = "shop"
	workload  = "worker"
	// More events than any test makes; a full recorder would block KEDA.
	eventsMax = 10_000
	// What KEDA's operator has by default.
	globalHTTPTimeout    = 3 * time.Second
	kubernetesAPITimeout = 30 * time.Second
)

// cluster has one ScaledObject with one trigger, and the Deployment that it scales.
type cluster struct {
	keda   scaling.ScaleHandler
	client client.Client
	events *events.FakeRecorder
	queue  string
}

// clusterOptions are the parts of the ScaledObject that tests vary.
type clusterOptions struct {
	triggerType     string
	address         string
	sqs             localSQS
	pollingInterval int32
	fallback        *kedav1alpha1.Fallback
}

// givenCluster has the queue's URL and the keys in the environment of the workload's container, where
// KEDA resolves them.
func givenCluster(t *testing.T, queue string, options clusterOptions) *cluster {
	t.Helper()
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{clientgoscheme.AddToScheme, kedav1alpha1.AddToScheme} {
		if err := add(scheme); err != nil {
			t.Fatal(err)
		}
	}
	object := scaledObject(queue, options)
	made := &cluster{queue: queue, events: events.NewFakeRecorder(eventsMax)}
	made.client = fake.NewClientBuilder().WithScheme(scheme).WithObjects(object, deployment(options.sqs.url(queue))).WithStatusSubresource(object).Build()
	made.keda = scaling.NewScaleHandler(made.client, made.scaleClient(), scheme, globalHTTPTimeout, kubernetesAPITimeout, made.events, &authentication.AuthClientSet{})
	return made
}

func scaledObject(queue string, options clusterOptions) *kedav1alpha1.ScaledObject {
	trigger := kedav1alpha1.ScaleTriggers{Type: options.triggerType, Metadata: map[string]string{
		"scalerAddress": options.address, "queueURLFromEnv": "QUEUE_URL", "awsRegion": "eu-west-1", "awsEndpoint": options.sqs.endpoint,
		"awsAccessKeyIDFromEnv": "KEY_ID", "awsSecretAccessKeyFromEnv": "SECRET",
	}}
	return &kedav1alpha1.ScaledObject{
		ObjectMeta: metav1.ObjectMeta{Name: queue, Namespace: namespace, Generation: 1, UID: "1"},
		Spec: kedav1alpha1.ScaledObjectSpec{
			ScaleTargetRef: &kedav1alpha1.ScaleTarget{Name: workload}, PollingInterval: &options.pollingInterval,
			Triggers: []kedav1alpha1.ScaleTriggers{trigger}, Fallback: options.fallback,
		},
		Status: kedav1alpha1.ScaledObjectStatus{
			ScaleTargetKind:     "apps/v1.Deployment",
			ScaleTargetGVKR:     &kedav1alpha1.GroupVersionKindResource{Group: "apps", Version: "v1", Kind: "Deployment", Resource: "deployments"},
			ExternalMetricNames: []string{metricName(queue)},
		},
	}
}

func deployment(queueURL string) *appsv1.Deployment {
	none := int32(0)
	environment := []corev1.EnvVar{{Name: "QUEUE_URL", Value: queueURL}, {Name: "KEY_ID", Value: "test"}, {Name: "SECRET", Value: "test"}}
	container := corev1.Container{Name: "worker", Env: environment}
	return &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Name: workload, Namespace: namespace},
		Spec:       appsv1.DeploymentSpec{Replicas: &none, Template: corev1.PodTemplateSpec{Spec: corev1.PodSpec{Containers: []corev1.Container{container}}}},
	}
}

func metricName(queue string) string {
	return "s0-aws-sqs-" + queue
}

// scaleClient writes the scale subresource through to the Deployment.
func (c *cluster) scaleClient() *scalefake.FakeScaleClient {
	scales := &scalefake.FakeScaleClient{}
	scales.AddReactor("get", "*", func(clienttesting.Action) (bool, runtime.Object, error) {
		replicas, err := c.replicas(context.Background())
		return true, &autoscalingv1.Scale{ObjectMeta: metav1.ObjectMeta{Name: workload, Namespace: namespace}, Spec: autoscalingv1.ScaleSpec{Replicas: replicas}}, err
	})
	scales.AddReactor("update", "*", func(action clienttesting.Action) (bool, runtime.Object, error) {
		scale, isScale := action.(clienttesting.UpdateAction).GetObject().(*autoscalingv1.Scale)
		if !isScale {
			return true, nil, fmt.Errorf("not a scale: %v", action)
		}
		target := &appsv1.Deployment{}
		if err := c.client.Get(context.Background(), client.ObjectKey{Namespace: namespace, Name: workload}, target); err != nil {
			return true, nil, err
		}
		target.Spec.Replicas = &scale.Spec.Replicas
		return true, scale, c.client.Update(context.Background(), target)
	})
	return scales
}

func (c *cluster) replicas(ctx context.Context) (int32, error) {
	target := &appsv1.Deployment{}
	if err := c.client.Get(ctx, client.ObjectKey{Namespace: namespace, Name: workload}, target); err != nil {
		return 0, err
	}
	return *target.Spec.Replicas, nil
}

func (c *cluster) object(t *testing.T) *kedav1alpha1.ScaledObject {
	t.Helper()
	object := &kedav1alpha1.ScaledObject{}
	if err := c.client.Get(t.Context(), client.ObjectKey{Namespace: namespace, Name: c.queue}, object); err != nil {
		t.Fatal(err)
	}
	return object
}

// autoscalerAsks is the query of the HPA as the operator answers it.
func (c *cluster) autoscalerAsks(ctx context.Context) (string, error) {
	list, err := c.keda.GetScaledObjectMetrics(ctx, c.queue, namespace, metricName(c.queue))
	if err != nil {
		return "", err
	}
	return valueText(list.Items), nil
}

// told gives the events since it was asked last.
func (c *cluster) told() []string {
	var all []string
	for {
		select {
		case event := <-c.events.Events:
			all = append(all, event)
		default:
			return all
		}
	}
}
