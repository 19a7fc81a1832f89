import MetaLearnersCore

/// The mapping `engine`: parameters of XGBoost under its own names.
enum EngineParameters {
    /// The key `engine` of the spec.
    static let parameter = Parameter<XGBoostSpec>(
        "engine", "parameters of XGBoost under its own names, passed as they are",
        range: "mapping of texts, numbers and booleans"
    ) { value, place, spec throws(MetaLearnersError) in
        guard let object = value.objectValue else {
            throw place.error("must be a mapping, not \(value.kindName)")
        }
        spec.engine = object
    } write: { spec in
        .object(spec.engine)
    }

    /// XGBoost's names for what the spec has names of its own for.
    private static let covered: [String: String] = [
        "eta": "learning_rate", "learning_rate": "learning_rate", "max_depth": "max_depth",
        "max_leaves": "max_leaves", "min_child_weight": "min_child_weight", "gamma": "min_split_gain",
        "min_split_loss": "min_split_gain", "alpha": "l1", "reg_alpha": "l1", "lambda": "l2",
        "reg_lambda": "l2", "subsample": "row_sample", "colsample_bytree": "column_sample",
        "max_bin": "max_bins", "grow_policy": "growth", "num_boost_round": "trees", "n_estimators": "trees",
        "early_stopping_rounds": "early_stopping",
    ]

    /// What the task decides, or the way it is run.
    private static let reserved: Set<String> = [
        "objective", "num_class", "num_target", "base_score", "multi_strategy", "boost_from_average", "seed",
        "random_state", "seed_per_iteration", "nthread", "n_jobs", "num_feature", "validate_parameters",
        "process_type",
    ]

    /// Checks that nothing is set twice and that every value has a text.
    ///
    /// - Throws: `invalidSpec`, naming the key.
    static func check(_ object: SpecObject, at place: SpecPath) throws(MetaLearnersError) {
        for (key, value) in object.entries {
            if let name = covered[key] {
                throw place.appending(key).error(
                    "has a name that all backends share", remedy: "set '\(name)' instead, outside engine")
            }
            if reserved.contains(key) {
                throw place.appending(key).error("is set by the backend itself", remedy: "leave it out")
            }
            guard !key.isEmpty, !key.utf8.contains(0) else {
                throw place.error("a parameter's name is empty or holds a NUL")
            }
            guard let text = text(of: value), !text.utf8.contains(0) else {
                throw place.appending(key).error(
                    "must be text, a number, a boolean or a list, not \(value.kindName)")
            }
        }
    }

    /// The values as XGBoost reads them, in order.
    static func texts(_ object: SpecObject) -> [(name: String, value: String)] {
        object.entries.compactMap { entry in text(of: entry.value).map { (entry.key, $0) } }
    }

    private static func text(of value: SpecValue) -> String? {
        switch value {
        case .string(let text): text
        case .boolean(let flag): flag ? "1" : "0"
        case .integer(let number): "\(number)"
        case .number, .array: value.json()
        case .null, .object: nil
        }
    }
}
