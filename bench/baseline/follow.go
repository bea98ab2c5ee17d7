package baseline

import (
	"context"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine/docker"
)

// Follow handles events one after the other. It returns nil when ctx ends, and the
// error of an event that cannot be handled.
func (m *Mirrorer) Follow(ctx context.Context, events <-chan docker.Event) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case event := <-events:
			if err := m.handle(ctx, event); err != nil && ctx.Err() == nil {
				return fmt.Errorf("handle %s of %s %s: %w", event.Action, event.Kind, event.ID, err)
			}
		}
	}
}

func (m *Mirrorer) handle(ctx context.Context, event docker.Event) error {
	switch event.Kind {
	case containersv1.KindContainer, containersv1.KindVolume:
		mirrors, err := m.engine.Inspect(ctx, event.Kind, event.ID)
		if engine.IsNotFound(err) {
			return m.removeNamed(ctx, containersv1.NewMirror(event.Kind), event.Kind.ResourceName(event.ID))
		}
		if err != nil {
			return err
		}
		return m.apply(ctx, mirrors[0])
	case containersv1.KindImage:
		return m.handleImage(ctx, event.ID)
	default:
		return nil
	}
}

func (m *Mirrorer) removeNamed(ctx context.Context, obj client.Object, name string) error {
	err := m.client.Get(ctx, client.ObjectKey{Namespace: m.namespace, Name: name}, obj)
	if apierrors.IsNotFound(err) {
		return nil
	}
	if err != nil {
		return err
	}
	return m.remove(ctx, obj)
}

// handleImage applies every tag of an image, and removes those that it has no longer,
// which the event does not name.
func (m *Mirrorer) handleImage(ctx context.Context, ref string) error {
	images, err := m.engine.Inspect(ctx, containersv1.KindImage, ref)
	if err != nil && !engine.IsNotFound(err) {
		return err
	}
	id, kept := ref, map[string]bool{}
	for _, img := range images {
		id, kept[img.GetName()] = img.ObjectID(), true
		if err := m.apply(ctx, img); err != nil {
			return err
		}
	}
	var there containersv1.ImageList
	if err := m.client.List(ctx, &there, client.InNamespace(m.namespace), client.MatchingFields{"status.id": id}); err != nil {
		return err
	}
	for i := range there.Items {
		if kept[there.Items[i].Name] {
			continue
		}
		if err := m.remove(ctx, &there.Items[i]); err != nil {
			return err
		}
	}
	return nil
}
