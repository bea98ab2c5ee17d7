// Package invariant checks the invariant of rdd: the set of mirrors equals the set
// of engine objects, field by field.
//
// The tests of the tree, the chaos tests and `rdd doctor` use it. It is independent of
// the code that it checks:
//
//   - It computes the names of mirrors by its own implementation of the rule in the
//     API's documentation.
//   - [FromEndpoint] reads the engine's JSON with a mapping of its own, so that an
//     error in the mapping of internal/engine/docker is found.
//   - It compares every field of a status, including those that are new in the API.
//
// A [Difference] is data, and has both values.
//
// It does not check:
//
//   - transition times, reasons and messages of conditions, which only the mirror has;
//   - whether a container is still in the desired state after that was applied, because
//     later changes are mirrored and not reverted;
//   - the output of health probes, unless all recent ones have failed in the same way;
//   - labels of users, annotations, and finalizers of other controllers;
//   - objects that the engine does not list.
//
// Reading map: difference.go has the results; check.go and lasting.go the calls;
// compare.go, promises.go and names.go the rules; fields.go splits a status into
// fields; engine.go, endpoint.go, raw.go, rawfields.go and rawcontainer.go read the
// engine, mirrors.go the API server.
package invariant
