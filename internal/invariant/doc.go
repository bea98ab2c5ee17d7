// Package invariant checks the one sentence that stands over rdd: the set of
// mirrors equals the set of engine objects, field by field.
//
// Simulation, chaos tests and `rdd doctor` all judge by it, so it trusts as
// little as possible of what it judges. The names of mirrors are computed here
// by the rule that the API promises and not by the code that makes them;
// [FromEndpoint] reads the engine's own JSON past internal/engine/docker, with a
// mapping of its own, so that a slip in the mapping shows; every field that a
// status has is compared, whether this package has heard of it or not. A
// difference is data, in [Difference], and says both values.
//
// What is not checked: the transition times, reasons and messages of
// conditions, which are the mirror's own; whether a container is in the state
// that spec.state names, once the wish was carried out (what happens outside is
// mirrored and not fought); labels, annotations and other people's finalizers;
// objects that the engine keeps but lists nowhere. [FromEngine] sees the engine
// with the eyes of internal/engine/docker and so finds no slip of its mapping.
//
// Reading map: difference.go is what comes out; check.go and lasting.go are the
// calls; compare.go, promises.go and names.go decide; fields.go takes a status
// apart; engine.go, endpoint.go, raw.go and rawfields.go read the engine,
// mirrors.go the API server.
package invariant
