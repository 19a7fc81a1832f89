import MetaLearnersCore

/// A spec in XGBoost's names, for a task.
struct BoosterParameters {
    /// What the task and its loss add to the spec.
    struct Task {
        /// XGBoost's name of the objective, which decides how many trees a round has and what the saved model says.
        let objective: String
        /// Classes, for an objective that needs their number.
        let classes: Int?
        /// The mean Hessian at the start, which turns rows into a sum of Hessians.
        let meanHessian: Double
        /// What the target was multiplied with.
        let scale: Double
        let seed: UInt64
    }

    /// Names and values, in the order in which they are set.
    let values: [(name: String, value: String)]

    /// Translates `spec`. Penalties in the target's unit follow its scale, so that they mean what they mean unscaled.
    init(_ spec: XGBoostSpec, _ task: Task, threads: Int) {
        // A little less, so that rounded Hessians of so many rows always suffice.
        let leafWeight = Double(spec.minLeafSize) * task.meanHessian * (1 - 0x1p-16)
        let childWeight = max(spec.minChildWeight, leafWeight)
        var values: [(name: String, value: String)] = [
            ("validate_parameters", "1"),
            ("tree_method", "hist"),
            ("objective", task.objective),
            ("base_score", "0.5"),
            ("disable_default_eval_metric", "1"),
            ("nthread", "\(threads)"),
            // XGBoost takes a signed integer; newer versions refuse negative ones.
            ("seed", "\(RandomStream.derivedSeed(task.seed, 0x5847_424F) & 0x7FFF_FFFF)"),
            ("eta", "\(spec.learningRate)"),
            ("max_depth", "\(spec.maxDepth)"),
            ("max_leaves", "\(spec.maxLeaves)"),
            ("grow_policy", spec.growth == .leafWise ? "lossguide" : "depthwise"),
            ("min_child_weight", "\(childWeight)"),
            ("gamma", "\(spec.minSplitGain * task.scale * task.scale)"),
            ("alpha", "\(spec.l1 * task.scale)"),
            ("lambda", "\(spec.l2)"),
            ("max_bin", "\(spec.maxBins)"),
            ("colsample_bytree", "\(spec.columnSample)"),
        ]
        if let classes = task.classes { values.append(("num_class", "\(classes)")) }
        for (name, value) in EngineParameters.texts(spec.engine) {
            if name == "max_delta_step", let step = Double(value) {
                values.append((name, "\(step * task.scale)"))
            } else {
                values.append((name, value))
            }
        }
        self.values = values
    }

    /// Whether the trees grow on bins, which is what a quantised matrix is for.
    static func isQuantised(_ spec: XGBoostSpec) -> Bool {
        let method = spec.engine["tree_method"]?.stringValue
        let booster = spec.engine["booster"]?.stringValue
        return (method == nil || method == "hist") && booster != "gblinear"
    }
}

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
