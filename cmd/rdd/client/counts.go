package client

import (
	"context"
	"fmt"
	"strings"

	"golang.org/x/sync/errgroup"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
)

// runningContainers is the key, in Counts, of the containers that run.
const runningContainers = "containersRunning"

// Counts has the number of mirrors of each kind, by the name of the resource, such
// as images, and the number of running containers.
type Counts map[string]int

// counted returns the resources that are counted, in order.
func counted() []string {
	var resources []string
	for _, kind := range containersv1.Kinds() {
		if kind.HasFinalizer() {
			resources = append(resources, kind.GroupVersionResource().Resource)
		}
	}
	return resources
}

// Counts counts the mirrors in a Kubernetes namespace.
func (c *Client) Counts(ctx context.Context, namespace string) (Counts, error) {
	resources := counted()
	numbers := make([]int, len(resources))
	running := 0
	group, ctx := errgroup.WithContext(ctx)
	for i, resource := range resources {
		group.Go(func() (err error) {
			numbers[i], err = c.count(ctx, namespace, resource, "")
			return err
		})
	}
	group.Go(func() (err error) {
		running, err = c.count(ctx, namespace, containersv1.KindContainer.GroupVersionResource().Resource,
			"status.status="+string(containersv1.ContainerRunning))
		return err
	})
	if err := group.Wait(); err != nil {
		return nil, err
	}
	counts := Counts{runningContainers: running}
	for i, resource := range resources {
		counts[resource] = numbers[i]
	}
	return counts, nil
}

// count counts the objects of a resource that a field selector matches.
func (c *Client) count(ctx context.Context, namespace, resource, selector string) (int, error) {
	list := &metav1.PartialObjectMetadataList{}
	err := c.rest.Get().AbsPath("/apis", containersv1.GroupVersion.String(), "namespaces", namespace, resource).
		Param("fieldSelector", selector).
		SetHeader("Accept", "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1").
		Do(ctx).Into(list)
	if err != nil {
		return 0, fmt.Errorf("count %s: %w", resource, err)
	}
	return len(list.Items), nil
}

// Short returns the counts that most users need, such as "1 of 3 containers running, 5
// images". It is empty if nothing was counted.
func (c Counts) Short() string {
	if c == nil {
		return ""
	}
	containers, images := containersv1.KindContainer.GroupVersionResource().Resource, containersv1.KindImage.GroupVersionResource().Resource
	return fmt.Sprintf("%d of %d %s running, %d %s", c[runningContainers], c[containers], containers, c[images], images)
}

// String returns the counts in one line.
func (c Counts) String() string {
	var parts []string
	for _, resource := range counted() {
		part := fmt.Sprintf("%d %s", c[resource], resource)
		if resource == containersv1.KindContainer.GroupVersionResource().Resource {
			part += fmt.Sprintf(" (%d running)", c[runningContainers])
		}
		parts = append(parts, part)
	}
	return strings.Join(parts, ", ")
}
