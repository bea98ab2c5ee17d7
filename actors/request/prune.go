package request

import (
	"context"
	"fmt"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine"
)

// prune carries out a PruneRequest. It can be repeated after an interruption: the objects
// that were removed are gone, and the others are still to be removed.
func prune(ctx context.Context, t Task) Outcome {
	r := t.Request.(*containersv1.PruneRequest)
	options, err := pruneOptions(r.Spec)
	if err != nil {
		return Failed(containersv1.ReasonInvalid, err.Error())
	}
	count := int32(0)
	done, err := t.Engine.Prune(ctx, options, func(p engine.Pruned) {
		count++
		t.Progress(containersv1.RequestProgress{Phase: fmt.Sprintf("%d removed, the last one is %s", count, p.Name)})
	})
	list := prunedStatus(done)
	var out Outcome
	switch words := summaryOf(list); {
	case err != nil:
		out = FailedWith(ctx, err)
		if out.phase == phaseFailed {
			out.Message = fmt.Sprintf("%s removed; the rest could not be removed: %s", words, out.Message)
		}
	case options.DryRun:
		out = Completed(words+" would be removed", nil)
	default:
		out = Completed(words+" removed", nil)
	}
	out.Set = func(r containersv1.Request) { addPruned(&r.(*containersv1.PruneRequest).Status, list) }
	return out
}

// summaryOf returns the number of objects and their size, such as "2 objects, 12.3kB".
func summaryOf(list containersv1.PruneRequestStatus) string {
	noun := "objects"
	if list.PrunedCount == 1 {
		noun = "object"
	}
	return fmt.Sprintf("%d %s, %s", list.PrunedCount, noun, engine.HumanSize(list.ReclaimedBytes))
}

func pruneOptions(spec containersv1.PruneRequestSpec) (engine.PruneOptions, error) {
	options := engine.PruneOptions{All: spec.All, DryRun: spec.DryRun}
	for _, kind := range spec.Kinds {
		options.Kinds = append(options.Kinds, containersv1.Kind(kind))
	}
	if spec.Until != nil {
		options.Until = spec.Until.Time
	}
	for _, text := range spec.Labels {
		filter, err := engine.ParseLabelFilter(text)
		if err != nil {
			return engine.PruneOptions{}, err
		}
		options.Labels = append(options.Labels, filter)
	}
	return options, nil
}

// prunedStatus returns what the status says of removed objects.
func prunedStatus(done []engine.Pruned) (s containersv1.PruneRequestStatus) {
	for _, p := range done {
		s.PrunedCount++
		s.ReclaimedBytes += p.Bytes
		if len(s.Pruned) < containersv1.MaxPruned {
			object := containersv1.PrunedObject{Kind: p.Key.Kind, Name: p.Name, Bytes: p.Bytes}
			if p.Key.Kind != engine.KindBuildCache {
				object.Resource = p.Key.ResourceName()
			}
			s.Pruned = append(s.Pruned, object)
		}
	}
	return s
}

// addPruned adds what was removed to what an attempt before has removed: the engine was
// lost in between.
func addPruned(s *containersv1.PruneRequestStatus, list containersv1.PruneRequestStatus) {
	s.PrunedCount += list.PrunedCount
	s.ReclaimedBytes += list.ReclaimedBytes
	room := containersv1.MaxPruned - len(s.Pruned)
	s.Pruned = append(s.Pruned, list.Pruned[:min(room, len(list.Pruned))]...)
}
