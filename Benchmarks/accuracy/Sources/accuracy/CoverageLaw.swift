import MetaLearnersKit

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Populations on which intervals of average effects are put to the test beside the setups of Nie & Wager and the laws of
/// `accuracy run`: eight normal covariates each.
enum CoverageLaw: String, CaseIterable, Sendable {
    /// One row in a hundred is treated.
    case rarest
    /// One outcome in fifty is 1.
    case rareOutcome = "rare-outcome"
    /// Twenty rows a cluster, which share a part of the outcome's noise, their first covariate in part, and the treatment in part.
    case clusters
    /// Two arms beside the control.
    case arms

    /// Draws rows.
    func draw(rows: Int, seed: UInt64) throws -> SyntheticDataset {
        var stream = SyntheticDataset.Stream.covariates.open(seed)
        var clusterStream = SyntheticDataset.Stream.clusters.open(seed)
        let rowsPerCluster = 20
        let clusterCount = (rows + rowsPerCluster - 1) / rowsPerCluster
        let levels = (0..<clusterCount).map { _ in clusterStream.normal() }
        let shifts = (0..<clusterCount).map { _ in 0.5 * clusterStream.normal() }
        var x: [[Double]] = []
        for row in 0..<rows {
            var values = (0..<8).map { _ in stream.normal() }
            if self == .clusters { values[0] = 0.6 * levels[row / rowsPerCluster] + 0.8 * values[0] }
            x.append(values)
        }
        return try SyntheticDataset.draw(
            rows: x, propensities: shares(x), armOutcomes: outcomes(x), noise: 1,
            shift: self == .clusters ? x.indices.map { shifts[$0 / rowsPerCluster] } : nil,
            binary: self == .rareOutcome,
            clusters: self == .clusters ? x.indices.map { Int32($0 / rowsPerCluster) } : nil, seed: seed)
    }

    private func shares(_ rows: [[Double]]) -> [[Double]] {
        let all = rows.map { x -> [Double] in
            switch self {
            case .rarest:
                let share = Self.logistic(-4.85 + 0.6 * x[0])
                return [1 - share, share]
            case .rareOutcome, .clusters:
                let share = Self.logistic(0.6 * x[0] - 0.4 * x[1])
                return [1 - share, share]
            case .arms:
                let odds = [1, exp(0.5 * x[0] - 0.2), exp(0.5 * x[1] - 0.5)]
                return odds.map { $0 / odds.reduce(0, +) }
            }
        }
        return (0..<(all.first?.count ?? 0)).map { arm in all.map { $0[arm] } }
    }

    private func outcomes(_ rows: [[Double]]) -> [[Double]] {
        let all = rows.map { x -> [Double] in
            let control = x[0] + sin(2 * x[1]) + x[2] * x[3] / 2
            switch self {
            case .rareOutcome:
                let odds = -4.6 + 0.7 * x[0] - 0.3 * x[2]
                return [Self.logistic(odds), Self.logistic(odds + 0.6 + 0.3 * x[1])]
            case .rarest, .clusters: return [control, control + 1 + x[0] / 2 + (x[4] > 0 ? 1 : 0)]
            case .arms: return [control, control + 1 + x[0] / 2, control + 0.5 + (x[4] > 0 ? 1 : 0)]
            }
        }
        return (0..<(all.first?.count ?? 0)).map { arm in all.map { $0[arm] } }
    }

    private static func logistic(_ value: Double) -> Double { 1 / (1 + exp(-value)) }
}
