package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/tools/clientcmd"

	appv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"
)

// Deadlines and steps of looking at the API from outside.
const (
	patience = 5 * time.Minute
	interval = 20 * time.Millisecond
)

// kube looks at the instance's API with a client of its own.
type kube struct {
	client dynamic.Interface
}

func newKube(ctx context.Context, d *daemon) (*kube, error) {
	file, err := d.path(ctx, "config")
	if err != nil {
		return nil, err
	}
	config, err := clientcmd.BuildConfigFromFlags("", file)
	if err != nil {
		return nil, fmt.Errorf("read the kubeconfig: %w", err)
	}
	config.QPS = -1
	client, err := dynamic.NewForConfig(config)
	if err != nil {
		return nil, fmt.Errorf("make a client: %w", err)
	}
	return &kube{client: client}, nil
}

func (k *kube) mirrors(resource string) dynamic.ResourceInterface {
	group := schema.GroupVersionResource{Group: "containers.rancherdesktop.io", Version: "v1alpha1", Resource: resource}
	return k.client.Resource(group).Namespace(appv1.DefaultNamespace)
}

func (k *kube) app() dynamic.ResourceInterface {
	return k.client.Resource(appv1.GroupVersion.WithResource("apps"))
}

// fingerprint returns UID and resourceVersion of every mirror by kind and name.
func (k *kube) fingerprint(ctx context.Context) (map[string]string, error) {
	prints := make(map[string]string)
	for _, resource := range []string{"containers", "images", "volumes", "containernamespaces"} {
		list, err := k.mirrors(resource).List(ctx, metav1.ListOptions{})
		if err != nil {
			return nil, fmt.Errorf("list %s: %w", resource, err)
		}
		for _, item := range list.Items {
			prints[resource+"/"+item.GetName()] = string(item.GetUID()) + " " + item.GetResourceVersion()
		}
	}
	return prints, nil
}

// waitFor asks again and again until the answer is yes.
func (k *kube) waitFor(ctx context.Context, what string, yes func(context.Context) (bool, error)) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for {
		done, err := yes(ctx)
		if done && err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait for %s: %w", what, errors.Join(ctx.Err(), err))
		case <-ticker.C:
		}
	}
}

// conditionTrue is whether the App's condition is True now.
func conditionTrue(app *unstructured.Unstructured, kind string) bool {
	conditions, _, err := unstructured.NestedSlice(app.Object, "status", "conditions")
	if err != nil {
		return false
	}
	for _, one := range conditions {
		condition, ok := one.(map[string]any)
		if ok && condition["type"] == kind {
			return condition["status"] == "True"
		}
	}
	return false
}
