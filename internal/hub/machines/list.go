package machines

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	hubv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/hub/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/hub/install"
)

// Listed is a machine in a list.
type Listed struct {
	Name string `json:"name"`
	// Ready is True, False or Unknown, with the reason.
	Ready  metav1.ConditionStatus `json:"ready"`
	Reason string                 `json:"reason"`
	// Message says more about the reason, in words.
	Message string `json:"message,omitempty"`
	// Synced is True while the mirrors equal the engine's objects.
	Synced metav1.ConditionStatus `json:"synced"`
	// RenewedAt is when the machine last renewed its Lease, on the clock of the hub. It is
	// absent if the machine has never joined.
	RenewedAt time.Time `json:"renewedAt,omitzero"`
	// User who may write the mirrors.
	User string `json:"user"`
	// What the machine has reported last.
	Version string              `json:"version,omitempty"`
	Engine  string              `json:"engine,omitempty"`
	Allow   hubv1.Allow         `json:"allow,omitempty"`
	Counts  *hubv1.ObjectCounts `json:"counts,omitempty"`
}

// List returns the machines of a hub, by name. now returns the time on the clock of the hub.
func List(ctx context.Context, c client.Client, now func() time.Time) ([]Listed, error) {
	if err := install.CheckInstalled(ctx, c); err != nil {
		return nil, err
	}
	machines := &hubv1.MachineList{}
	if err := c.List(ctx, machines); err != nil {
		return nil, fmt.Errorf("list the machines: %w", err)
	}
	leases := &coordinationv1.LeaseList{}
	if err := c.List(ctx, leases, client.MatchingFields{"metadata.name": hubv1.LeaseName}); err != nil {
		return nil, fmt.Errorf("list the Leases of the machines: %w", err)
	}
	renewed := map[string]time.Time{}
	for i := range leases.Items {
		renewed[leases.Items[i].Namespace] = RenewedAt(&leases.Items[i])
	}
	list := []Listed{}
	for i := range machines.Items {
		m := &machines.Items[i]
		list = append(list, listed(m, renewed[m.Name], now()))
	}
	slices.SortFunc(list, func(a, b Listed) int { return strings.Compare(a.Name, b.Name) })
	return list, nil
}

// listed returns the row of a machine that has last renewed its Lease at a time; zero for
// never. Both times are on the clock of the hub.
func listed(m *hubv1.Machine, renewed, now time.Time) Listed {
	row := Listed{
		Name: m.Name, User: m.Spec.User, RenewedAt: renewed,
		Version: m.Status.Version, Engine: m.Status.Engine.Version, Allow: m.Status.Allow, Counts: m.Status.Counts,
		Ready: metav1.ConditionUnknown, Reason: hubv1.ReasonNeverJoined, Synced: metav1.ConditionUnknown,
	}
	if ready := meta.FindStatusCondition(m.Status.Conditions, hubv1.ConditionReady); ready != nil {
		row.Ready, row.Reason, row.Message = ready.Status, ready.Reason, ready.Message
	}
	if synced := meta.FindStatusCondition(m.Status.Conditions, hubv1.ConditionSynced); synced != nil {
		row.Synced = synced.Status
	}
	staleAfter := hubv1.DefaultStaleAfter
	if m.Spec.StaleAfter != nil {
		staleAfter = m.Spec.StaleAfter.Duration
	}
	// What a machine reported last is not the state of one that is away, unless it said
	// that it leaves.
	if away := now.Sub(renewed); !renewed.IsZero() && away > staleAfter && row.Reason != hubv1.ReasonLeft {
		row.Ready, row.Reason, row.Synced = metav1.ConditionUnknown, hubv1.ReasonLeaseExpired, metav1.ConditionUnknown
		row.Message = "the machine was last there " + away.Round(time.Second).String() + " ago: it is off, asleep or offline"
	}
	return row
}
