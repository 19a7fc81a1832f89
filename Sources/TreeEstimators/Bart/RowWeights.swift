import MetaLearnersCore

/// The weights of rows, divided by what makes them as many rows as say as much (Kish), because their unit has no meaning: Σ w² / Σ w.
struct RowWeights {
    /// By position; nil where all are 1.
    let values: [Double]?
    /// Their sum, over all processes.
    let total: Double

    subscript(position: Int) -> Double { values?[position] ?? 1 }

    /// - Parameter count: how many rows all processes have.
    init(_ given: [Double]?, _ count: Int, _ distribution: DistributedRows?) throws(MetaLearnersError) {
        guard let given else {
            values = nil
            total = Double(count)
            return
        }
        let largest = try distribution.maximum([given.reduce(0, max)])[0]
        // Of weights beside the largest squares cannot overflow.
        let unit = largest > 0 ? largest : 1
        var sums = [ExactSum(), ExactSum()]
        for weight in given {
            sums[0].add(weight / unit)
            sums[1].add((weight / unit) * (weight / unit))
        }
        if let distribution { sums = try distribution.sum(sums) }
        let factor = sums[1].value > 0 ? sums[0].value / sums[1].value : 0
        values = given.map { $0 / unit * factor }
        total = sums[0].value * factor
    }
}
