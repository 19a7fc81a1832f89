import MetaLearnersCore

/// What limits treatment, as analyses take it: one of threshold, share and budget.
struct PolicyLimit: Sendable, Equatable {
    /// Treat where the gain per unit of cost is above this.
    var threshold: Double?
    /// Treat this share of the rows.
    var share: Double?
    /// Spend this much for each row on average.
    var budget: Double?

    /// The limit for rows of a total weight; above a threshold of 0 where none is given.
    func limit(totalWeight: Double) -> TreatmentAllocation.Limit {
        if let share { return .share(share) }
        if let budget { return .budget(budget * totalWeight) }
        return .threshold(threshold ?? 0)
    }

    /// - Throws: `invalidSpec` where more than one is given.
    func check(at place: SpecPath) throws(MetaLearnersError) {
        guard [threshold, share, budget].compactMap(\.self).count <= 1 else {
            throw place.error(
                "threshold, share and budget_per_row are three ways to limit treatment, and more than one is given",
                remedy: "give one of them")
        }
    }

    /// The rule in words.
    var sentence: String {
        if let share { return "the best \(Sentence.share(share)) of the rows" }
        if let budget {
            return "as many as a budget of \(Sentence.number(budget)) for each row pays for, the best first"
        }
        return
            "everybody whose effect\(threshold == nil || threshold == 0 ? " is above 0" : " for each unit of cost is above " + Sentence.number(threshold ?? 0))"
    }
}

extension Parameter {
    /// A number that may be absent.
    static func optionalNumber(
        _ name: String, _ path: any WritableKeyPath<Spec, Double?> & Sendable, in range: ClosedRange<Double>,
        exclusiveLower: Bool = false, range text: String, _ summary: String
    ) -> Parameter {
        Parameter(name, summary, range: text) { value, place, spec throws(MetaLearnersError) in
            guard let number = value.doubleValue, number.isFinite, range.contains(number),
                !exclusiveLower || number > range.lowerBound
            else { throw place.error("is \(value.json()), must be: \(text)") }
            spec[keyPath: path] = number
        } write: {
            $0[keyPath: path].map { .number($0) } ?? .null
        }
    }

    /// The keys `threshold`, `share` and `budget_per_row`.
    static func policyLimit(
        threshold: any WritableKeyPath<Spec, Double?> & Sendable,
        share: any WritableKeyPath<Spec, Double?> & Sendable,
        budget: any WritableKeyPath<Spec, Double?> & Sendable
    ) -> [Parameter] {
        [
            .optionalNumber(
                "threshold", threshold, in: -1e300...1e300, range: "number",
                "treat where the effect for each unit of cost is above this (0 where nothing else is said)"),
            .optionalNumber(
                "share", share, in: 0...1, exclusiveLower: true, range: "number, 0 < x ≤ 1",
                "treat this share of the rows, those with the largest effects"),
            .optionalNumber(
                "budget_per_row", budget, in: 0...1e300, exclusiveLower: true, range: "number > 0",
                "spend this much for each row on average, where it gains most"),
        ]
    }

    /// The key `cost`.
    static func cost(_ path: any WritableKeyPath<Spec, PolicyCosts> & Sendable, _ summary: String)
        -> Parameter
    {
        Parameter("cost", summary, range: "number > 0, name of a column, or a mapping of these by arm") {
            value, place, spec throws(MetaLearnersError) in
            spec[keyPath: path] = try PolicyCosts(value, at: place)
        } write: {
            $0[keyPath: path].specValue
        }
    }

    /// The key `by_cluster`.
    static func byCluster(_ path: any WritableKeyPath<Spec, Bool> & Sendable) -> Parameter {
        .boolean("by_cluster", path, "whether clusters are treated as a whole")
    }
}

extension CausalStudy {
    /// The units that are treated as a whole: clusters, where that is asked for.
    ///
    /// - Throws: `invalidArgument` where there are no clusters.
    func policyUnits(byCluster: Bool) throws(MetaLearnersError) -> [Int32]? {
        guard byCluster else { return nil }
        guard let clusters else {
            throw MetaLearnersError(
                .invalidArgument, at: "by_cluster", "the study has no clusters",
                remedy: "name their column: data.cluster")
        }
        return clusters
    }
}
