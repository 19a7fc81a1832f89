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
