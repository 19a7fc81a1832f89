import MetaLearnersCore

/// A fit for each kind of task.
struct XGBoostFit {
    let library: XGBoostLibrary
    let spec: XGBoostSpec
    let task: TrainingTask
    let roles: RowRoles
    let context: ExecutionContext

    /// Squared error and the residual loss.
    func quadratic(_ warnings: [String]) throws(MetaLearnersError) -> XGBoostModel {
        let loss = try QuadraticLoss(task, rows: roles.rows, learned: roles.learned)
        let settings = BoosterParameters.Task(
            objective: "reg:squarederror", classes: nil, meanHessian: loss.meanHessian, scale: loss.scale,
            seed: task.seed)
        let trained = try train(loss, settings, baseMargin: 0.5, isWorthwhile: !loss.isFlat)
        let approximate = loss.isUnit ? [] : approximationWarnings
        return try model(
            trained, link: .identity, offsets: [loss.level], scale: loss.scale,
            warnings + approximate)
    }

    /// The deviance of two or more classes.
    func classification(_ classes: Int, _ warnings: [String]) throws(MetaLearnersError) -> XGBoostModel {
        let prior = try ClassPrior(task, classes: classes, rows: roles.rows, learned: roles.learned)
        let offsets = prior.offsets
        let settings = BoosterParameters.Task(
            objective: classes == 2 ? "binary:logistic" : "multi:softprob",
            classes: classes == 2 ? nil : classes, meanHessian: prior.meanHessian * prior.meanWeight,
            scale: 1,
            seed: task.seed)
        let warnings = warnings + prior.warnings + approximationWarnings
        let isWorthwhile = prior.shares.count(where: { $0 > 0 }) > 1
        if classes == 2, let offset = offsets.first {
            let loss = try LogisticLoss(task, rows: roles.rows, offset: offset)
            // The log odds of ½ are 0.
            let trained = try train(loss, settings, baseMargin: 0, isWorthwhile: isWorthwhile)
            return try model(trained, link: .logistic, offsets: offsets, scale: 1, warnings)
        }
        let loss = try SoftmaxLoss(task, rows: roles.rows, offsets: offsets)
        let trained = try train(loss, settings, baseMargin: 0.5, isWorthwhile: isWorthwhile)
        return try model(trained, link: .softmax, offsets: offsets, scale: 1, warnings)
    }

    private struct Trained {
        let trees: [UInt8]?
        let messages: [String]
    }

    private func train(
        _ loss: some BoostingLoss, _ settings: BoosterParameters.Task, baseMargin: Double, isWorthwhile: Bool
    ) throws(MetaLearnersError) -> Trained {
        guard isWorthwhile, !task.features.columns.isEmpty, loss.hessianMagnitude > 0 else {
            return Trained(trees: nil, messages: [])
        }
        guard loss.hessianMagnitude < 1e30, loss.gradientMagnitude < 1e30 else {
            throw MetaLearnersError(
                .numericalFailure, at: "weight", "the largest weight is beyond single precision",
                remedy: "divide all weights by the same number")
        }
        let parameters = BoosterParameters(spec, settings, threads: threads)
        let (trees, said) = try XGBoostLog.capturing(library) { () throws(MetaLearnersError) in
            try BoostingRun(
                library: library, spec: spec, loss: loss, roles: roles, matrix: matrix(),
                parameters: parameters.values, baseMargin: baseMargin, context: context
            ).train()
        }
        let messages = try ofAllProcesses(said)
        if let unused = messages.lazy.compactMap(XGBoostMessage.unusedParameters).first {
            throw MetaLearnersError(
                .invalidSpec, at: "engine." + (unused.first ?? ""),
                "XGBoost \(library.version) does not use it: unknown, or without effect beside the others",
                remedy: "leave it out; XGBoost names " + unused.joined(separator: ", "))
        }
        return Trained(trees: trees, messages: messages)
    }

    /// What XGBoost has said in any process. That some have no rows is none of its business.
    private func ofAllProcesses(_ messages: [String]) throws(MetaLearnersError) -> [String] {
        guard let distribution = task.features.distribution else { return messages }
        var writer = BinaryWriter()
        writer.write(messages.filter { !$0.hasPrefix("Empty dataset") })
        var all: [String] = []
        for bytes in try distribution.gather(writer.bytes) {
            var reader = BinaryReader(bytes[...])
            all += try reader.readStrings().filter { !all.contains($0) }
        }
        return all
    }

    /// XGBoost's threads do not survive a fork, and it waits for them for ever; trees are the same with one.
    private var threads: Int { ProcessFork.isChild ? 1 : context.threads }

    private func matrix() throws(MetaLearnersError) -> TrainingMatrix {
        guard BoosterParameters.isQuantised(spec) else {
            return try TrainingMatrix.plain(
                library, task.features, rows: roles.rows, threads: threads)
        }
        let store = try task.cache.value(of: MatrixStore.self, named: "xgboost") {
            () throws(MetaLearnersError) in MatrixStore()
        }
        return try store.matrix(
            library, task.features, rows: roles.rows, maxBins: spec.maxBins, threads: threads,
            distribution: task.features.distribution)
    }

    private var approximationWarnings: [String] {
        guard spec.minLeafSize != XGBoostSpec.standardMinLeafSize else { return [] }
        return [
            "min_leaf_size is approximated: XGBoost bounds a leaf's sum of Hessians, set to \(spec.minLeafSize) times "
                + "their mean at the start"
        ]
    }

    private func model(
        _ trained: Trained, link: XGBoostModel.Link, offsets: [Double], scale: Double, _ warnings: [String]
    ) throws(MetaLearnersError) -> XGBoostModel {
        try XGBoostModel(
            library: library, trees: trained.trees,
            shape: XGBoostModel.Shape(
                link: link, offsets: offsets, scale: scale,
                levels: FeatureGatherer.levels(of: task.features).map { Int32(clamping: $0) }),
            warnings: warnings + trained.messages)
    }
}

/// The rows of a fit: those to learn from, those held out for early stopping, and those that a tree sees.
///
/// Rows held out, and rows that a tree does not see, stay in the matrix with gradients of 0: so the matrix serves
/// every fit on the same rows, and XGBoost's own bookkeeping gives the margins of the rows held out.
struct RowRoles {
    /// The rows in the matrix, ascending; rows of weight 0 are none of them.
    let rows: [Int32]
    /// The positions of the rows to learn from, ascending.
    let learned: [Int]
    /// The positions of the rows held out, ascending.
    let heldOut: [Int]
    /// What a user must be told of them.
    let warnings: [String]
    private let rowSample: Double
    private let seed: UInt64
    /// What joins the processes that hold the rows; nil where there are no others.
    let distribution: DistributedRows?

    /// Chooses the rows of `task`.
    init(_ task: TrainingTask, _ spec: XGBoostSpec) {
        let parting = HeldOutRows(task, share: spec.validationShare, patience: spec.earlyStopping)
        rows = parting.rows
        learned = parting.learnedPositions
        heldOut = parting.heldOutPositions
        warnings = parting.warnings
        rowSample = spec.rowSample
        seed = task.seed
        distribution = task.features.distribution
    }

    /// Whether which rows are learned from differs from round to round.
    var isSampled: Bool { rowSample < 1 }

    /// The mask of the rows to learn from, before any sampling; nil where all are.
    ///
    /// - Throws: `outOfMemory`.
    func mask() throws(MetaLearnersError) -> AlignedBuffer<UInt8>? {
        guard isSampled || !heldOut.isEmpty else { return nil }
        let mask = try AlignedBuffer<UInt8>(zeroed: rows.count)
        for position in learned { mask.start[position] = 1 }
        return mask
    }

    /// Marks exactly the wanted share of the rows to learn from, each equally likely; of rows that several processes hold each is
    /// drawn by its number.
    func sample(round: Int, into mask: AlignedBuffer<UInt8>) {
        if let firstRow = distribution?.firstRow {
            let key = RandomStream.derivedSeed(seed, 0x524F_5753, UInt64(round))
            for position in learned {
                let draw = RandomStream.uniform(of: firstRow + Int(rows[position]), key: key)
                mask.start[position] = draw < rowSample ? 1 : 0
            }
            return
        }
        var stream = RandomStream(seed: seed, path: 0x524F_5753, UInt64(round))
        let wanted = max(1, Int((rowSample * Double(learned.count)).rounded()))
        stream.select(wanted, of: learned.count) { mask.start[learned[$0]] = $1 ? 1 : 0 }
    }
}
