package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/cmd/rdd/progress"
	containerengine "github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine"
)

type pruneCmd struct {
	output
	confirmation
	DryRun  bool     `help:"List what would be removed, and remove nothing."`
	All     bool     `short:"a" help:"Also remove unused images that have a tag, with --volumes unused volumes that have a name, and with --kinds=buildcache the build cache that images share."`
	Volumes bool     `help:"Also remove unused anonymous volumes; with --all, named ones too."`
	Kinds   []string `help:"Kinds to remove: container, network, image, volume, buildcache." enum:"container,network,image,volume,buildcache" default:"container,network,image" placeholder:"KIND"`
	Until   string   `help:"Only objects created before this time: a duration such as 24h (ago), or a time such as 2026-01-31T12:00:00Z." placeholder:"WHEN"`
	Label   []string `help:"Only objects whose labels match: key, key=value, !key or key!=value. Can be repeated." placeholder:"CONDITION" sep:"none"`
}

// Run implements the command.
func (c *pruneCmd) Run(s *session) error {
	if err := s.mustExist(); err != nil {
		return err
	}
	given, err := c.given()
	if err != nil {
		return err
	}
	if c.structured() && !c.DryRun && !given {
		return &usageError{"--output=" + c.Output + " does not ask for confirmation: confirm with --yes, or list with --dry-run"}
	}
	spec, err := c.spec(time.Now())
	if err != nil {
		return err
	}
	if !given && !c.DryRun && !s.canAsk() {
		return s.confirm(c.confirmation, func() loss {
			return loss{what: "this removes unused objects of the container engine, which 'rdd prune --dry-run' lists", command: "rdd prune"}
		})
	}
	if c.DryRun || !given {
		spec.DryRun = true
		would, err := s.prune(spec, c.output)
		if err != nil || c.DryRun || would.PrunedCount == 0 {
			return err
		}
		err = s.confirm(c.confirmation, func() loss {
			return loss{what: "this removes " + objects(int(would.PrunedCount)) + " of the container engine", command: "rdd prune"}
		})
		if err != nil {
			return err
		}
	}
	spec.DryRun = false
	_, err = s.prune(spec, c.output)
	return err
}

func objects(n int) string {
	if n == 1 {
		return "1 object"
	}
	return fmt.Sprintf("%d objects", n)
}

// spec returns the request.
func (c *pruneCmd) spec(now time.Time) (spec containersv1.PruneRequestSpec, err error) {
	spec.All, spec.Labels = c.All, c.Label
	kinds := slices.Clone(c.Kinds)
	if c.Volumes {
		kinds = append(kinds, "volume")
	}
	seen := map[string]bool{}
	for _, kind := range kinds {
		if !seen[kind] {
			seen[kind] = true
			spec.Kinds = append(spec.Kinds, pruneKind(kind))
		}
	}
	if c.Until == "" {
		return spec, nil
	}
	if age, err := time.ParseDuration(c.Until); err == nil && age >= 0 {
		spec.Until = &metav1.Time{Time: now.Add(-age)}
		return spec, nil
	}
	at, err := time.Parse(time.RFC3339, c.Until)
	if err != nil {
		return spec, &usageError{fmt.Sprintf("--until=%s: use a duration such as 24h, or a time such as 2026-01-31T12:00:00Z", c.Until)}
	}
	spec.Until = &metav1.Time{Time: at}
	return spec, nil
}

// pruneKind returns a kind in the words of the API.
func pruneKind(word string) containersv1.PruneKind {
	if word == "buildcache" {
		return containersv1.PruneBuildCache
	}
	return containersv1.PruneKind(strings.ToUpper(word[:1]) + word[1:])
}

// prune carries out a PruneRequest and prints its result.
func (s *session) prune(spec containersv1.PruneRequestSpec, o output) (containersv1.PruneRequestStatus, error) {
	r := &containersv1.PruneRequest{Spec: spec}
	shown := progress.New(s.err)
	defer shown.Close()
	done, err := s.carryOut(r, func(now containersv1.Request) {
		status := now.CommonStatus()
		switch {
		case status.CompletedAt != nil:
		case status.Progress != nil:
			shown.Update(status.Progress.Phase)
		default:
			shown.Update(s.typeable(status.Message))
		}
	})
	shown.Close()
	if done == nil {
		return containersv1.PruneRequestStatus{}, err
	}
	status := done.(*containersv1.PruneRequest).Status
	return status, errors.Join(err, s.show(o, done, func() error { return s.printPruned(status, err == nil) }))
}

// printPruned prints what was removed, and the message of a request that succeeded.
func (s *session) printPruned(status containersv1.PruneRequestStatus, succeeded bool) error {
	table := tabwriter.NewWriter(s.out, 0, 0, 2, ' ', 0)
	for i, p := range status.Pruned {
		if i == 0 {
			fmt.Fprintln(table, "KIND\tNAME\tSIZE")
		}
		fmt.Fprintf(table, "%s\t%s\t%s\n", p.Kind, p.Name, containerengine.HumanSize(p.Bytes))
	}
	if err := table.Flush(); err != nil {
		return fmt.Errorf("print the objects: %w", err)
	}
	if more := int(status.PrunedCount) - len(status.Pruned); more > 0 {
		fmt.Fprintf(s.out, "and %d more\n", more)
	}
	if succeeded {
		fmt.Fprintln(s.out, status.Message)
	}
	return nil
}
