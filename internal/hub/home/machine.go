package home

import (
	"context"
	"fmt"

	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	hubv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/hub/v1alpha1"
)

// WriteMachine writes the status of the Machine with this name, unless it is equal. A
// condition that keeps its status keeps its transition time.
func (h *Home) WriteMachine(ctx context.Context, name string, status hubv1.MachineStatus) error {
	machine, err := h.readMachine(ctx, name)
	if err != nil {
		return err
	}
	stored := machine.DeepCopy()
	conditions := machine.Status.Conditions
	for _, c := range status.Conditions {
		meta.SetStatusCondition(&conditions, c)
	}
	machine.Status = status
	machine.Status.Conditions = conditions
	if equality.Semantic.DeepEqual(stored.Status, machine.Status) {
		return nil
	}
	if err := h.direct.Status().Update(ctx, machine, &client.SubResourceUpdateOptions{
		UpdateOptions: client.UpdateOptions{FieldManager: containersv1.FieldManager},
	}); err != nil {
		return fmt.Errorf("write the status of Machine %s of the hub: %w", name, err)
	}
	return nil
}

// readMachine returns the Machine with this name. It is the answer to a patch without a
// change, because no machine has a right to read Machines: it would be one on those of all
// machines.
func (h *Home) readMachine(ctx context.Context, name string) (*hubv1.Machine, error) {
	machine := &hubv1.Machine{}
	machine.Name = name
	unchanged := client.RawPatch(types.MergePatchType, []byte("{}"))
	if err := h.direct.Status().Patch(ctx, machine, unchanged); err != nil {
		return nil, fmt.Errorf("read Machine %s of the hub: %w", name, err)
	}
	return machine, nil
}
