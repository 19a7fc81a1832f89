import MetaLearnersCore

/// The rows of a classification that count, with the classes that occur among them.
struct ClassLabels {
    /// The rows with a weight.
    let rows: [Int32]
    /// The weight of each of these.
    let weights: [Double]
    /// The class of each of these, as its place in `present`.
    let labels: [Int32]
    /// The classes that occur, ascending.
    let present: [Int32]
    /// The share of the weight of each class that occurs.
    let shares: [Double]
    /// How many classes there are, those that do not occur included.
    let classCount: Int

    /// The sum of the weights, those of rows of other processes among them.
    let totalWeight: Double
    /// What joins the processes that hold the rows; nil where there are no others.
    let distribution: DistributedRows?

    /// Some of the rows, by place, in that order.
    ///
    /// - Parameter present: the classes that count, as places within those of the whole: nil for those that occur among
    ///   these rows in some process. Rows of others are left out.
    /// - Throws: what the collective throws.
    func selecting(_ places: [Int], present wanted: [Int32]? = nil) throws(MetaLearnersError) -> ClassLabels {
        var occurs = [Bool](repeating: false, count: present.count)
        for label in wanted ?? places.map({ labels[$0] }) { occurs[Int(label)] = true }
        occurs = try distribution.any(occurs)
        let counted = occurs.indices.filter { occurs[$0] }.map { Int32(clamping: $0) }
        let renumbered = Dictionary(
            uniqueKeysWithValues: counted.enumerated().map { ($1, Int32(clamping: $0)) })
        let kept = places.filter { renumbered[labels[$0]] != nil }
        return try ClassLabels(
            rows: kept.map { rows[$0] }, weights: kept.map { weights[$0] },
            labels: kept.map { renumbered[labels[$0]] ?? 0 }, present: counted.map { present[Int($0)] },
            classCount: classCount, distribution)
    }

    private init(
        rows: [Int32], weights: [Double], labels: [Int32], present: [Int32], classCount: Int,
        _ distribution: DistributedRows?
    ) throws(MetaLearnersError) {
        var totals = [Double](repeating: 0, count: present.count)
        for (label, weight) in zip(labels, weights) { totals[Int(label)] += weight }
        totals = try distribution.sum(totals)
        let total = totals.reduce(0, +)
        self.rows = rows
        self.weights = weights
        self.labels = labels
        self.present = present
        self.classCount = classCount
        totalWeight = total
        self.distribution = distribution
        shares = totals.map { total > 0 ? $0 / total : 0 }
    }

    /// Two classes, the target being 1 for the second; nil where one of them has no weight in any process.
    ///
    /// - Throws: what the collective throws.
    init?(
        binary target: [Double], rows: [Int32], weights: [Double]?, _ distribution: DistributedRows? = nil
    ) throws(MetaLearnersError) {
        self.rows = rows
        self.weights = rows.map { weights?[Int($0)] ?? 1 }
        labels = rows.map { target[Int($0)] == 1 ? 1 : 0 }
        present = [0, 1]
        classCount = 2
        var totals = [0.0, 0.0]
        for (label, weight) in zip(labels, self.weights) { totals[Int(label)] += weight }
        totals = try distribution.sum(totals)
        let total = totals[0] + totals[1]
        guard total.isFinite, totals[0] > 0, totals[1] > 0 else { return nil }
        totalWeight = total
        self.distribution = distribution
        shares = totals.map { $0 / total }
    }

    /// - Throws: `unsupported` for a task that is no classification, `numericalFailure` where the weights overflow.
    init(_ task: TrainingTask, backend: String) throws(MetaLearnersError) {
        guard case .classification(let classes) = task.objective else {
            throw MetaLearnersError(
                .unsupported, at: backend, "it estimates probabilities of classes, not numbers",
                remedy: "use ridge")
        }
        var rows: [Int32] = []
        var weights: [Double] = []
        var totals: [Int32: Double] = [:]
        for row in task.rows {
            let weight = task.weights?[Int(row)] ?? 1
            guard weight > 0, let label = Int32(exactly: task.target[Int(row)]) else { continue }
            rows.append(row)
            weights.append(weight)
            totals[label, default: 0] += weight
        }
        distribution = task.features.distribution
        if let distribution {
            let ofAll = try distribution.sum((0..<Int32(clamping: classes)).map { totals[$0] ?? 0 })
            totals = [:]
            for (label, weight) in ofAll.enumerated() where weight > 0 { totals[Int32(label)] = weight }
        }
        let present = totals.keys.sorted()
        let places = Dictionary(uniqueKeysWithValues: present.enumerated().map { ($1, Int32(clamping: $0)) })
        let total = try distribution.sum([weights.reduce(0, +)])[0]
        totalWeight = total
        guard total.isFinite, total > 0 else {
            throw MetaLearnersError(
                .numericalFailure, at: "weight", "the weights add up to \(total)",
                remedy: "rescale the weights")
        }
        labels = rows.map { row in Int32(exactly: task.target[Int(row)]).flatMap { places[$0] } ?? 0 }
        shares = present.map { (totals[$0] ?? 0) / total }
        self.rows = rows
        self.weights = weights
        self.present = present
        classCount = classes
    }
}
