package invariant

import (
	"context"
	"time"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
)

// Check reads both sides once and returns every difference. It fails if it cannot read
// a side. Changes between the two readings are differences too; see [Lasting].
func Check(ctx context.Context, engine Source, mirrors Mirrors) ([]Difference, error) {
	picture, err := engine(ctx)
	if err != nil {
		return nil, err
	}
	var all []containersv1.Mirror
	for _, kind := range containersv1.Kinds() {
		some, err := mirrors.Mirrors(ctx, kind)
		if err != nil {
			return nil, err
		}
		all = append(all, some...)
	}
	return Compare(picture, all, time.Now())
}
