import MetaLearnersCore

/// Draws rows with replacement (Efron 1979), or whole clusters where the data have them.
struct Resampling {
    private let clusters: [Int32]?
    private let unitCount: Int
    private let rowCount: Int

    init(_ dataset: CausalDataset) {
        clusters = dataset.clusters
        rowCount = dataset.rowCount
        unitCount = dataset.clusters.map { Int($0.max() ?? -1) + 1 } ?? dataset.rowCount
    }

    /// How often each row is drawn.
    func draw(_ stream: inout RandomStream) -> [Int32] {
        var counts = [Int32](repeating: 0, count: unitCount)
        for _ in 0..<unitCount { counts[stream.integer(below: unitCount)] += 1 }
        guard let clusters else { return counts }
        return (0..<rowCount).map { counts[Int(clusters[$0])] }
    }
}
