package client

import (
	"context"
	"fmt"

	"golang.org/x/sync/errgroup"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
)

// Counts has the numbers of mirrors.
type Counts struct {
	// Running is the number of running containers.
	Running    int `json:"containersRunning"`
	Containers int `json:"containers"`
	Images     int `json:"images"`
	Volumes    int `json:"volumes"`
}

// Counts counts the mirrors in a Kubernetes namespace.
func (c *Client) Counts(ctx context.Context, namespace string) (Counts, error) {
	var counts Counts
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error {
		list := &containersv1.ContainerList{}
		path := mirrorPath(namespace, "containers")
		if err := c.rest.Get().AbsPath(path).Do(ctx).Into(list); err != nil {
			return fmt.Errorf("count containers: %w", err)
		}
		counts.Containers = len(list.Items)
		for i := range list.Items {
			if list.Items[i].Status.Status == containersv1.ContainerRunning {
				counts.Running++
			}
		}
		return nil
	})
	for kind, count := range map[string]*int{"images": &counts.Images, "volumes": &counts.Volumes} {
		group.Go(func() error {
			list := &metav1.PartialObjectMetadataList{}
			err := c.rest.Get().AbsPath(mirrorPath(namespace, kind)).
				SetHeader("Accept", "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1").
				Do(ctx).Into(list)
			if err != nil {
				return fmt.Errorf("count %s: %w", kind, err)
			}
			*count = len(list.Items)
			return nil
		})
	}
	return counts, group.Wait()
}

func mirrorPath(namespace, plural string) string {
	return "/apis/containers.rancherdesktop.io/v1alpha1/namespaces/" + namespace + "/" + plural
}
