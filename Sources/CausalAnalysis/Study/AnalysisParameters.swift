import MetaLearnersCore

extension Parameter {
    /// The key `level`: the level of intervals, which every analysis with an interval has under this name.
    static func level(_ path: any WritableKeyPath<Spec, Double> & Sendable) -> Parameter {
        Parameter(
            "level", "the level of intervals: 0.95 for intervals of 95 %", range: "number, 0 < x < 1",
            read: { value, place, spec throws(MetaLearnersError) in
                guard let number = value.doubleValue, number > 0, number < 1 else {
                    throw place.error(
                        "is \(value.json()), must be: number, 0 < x < 1",
                        remedy: "use 0.95 for intervals of 95 %")
                }
                spec[keyPath: path] = number
            },
            write: { .number($0[keyPath: path]) })
    }

    /// The key `arm`: which arm is asked about.
    static func arm(_ path: any WritableKeyPath<Spec, String?> & Sendable) -> Parameter {
        .label(
            "arm", path,
            "label of the arm that is compared with the control; every arm where absent")
    }

    /// The key `seed` of everything that an analysis draws at random.
    static func seed(_ path: any WritableKeyPath<Spec, Int> & Sendable) -> Parameter {
        .integer("seed", path, in: 0...Int.max, "seed of everything drawn at random")
    }
}
