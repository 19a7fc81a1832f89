import MetaLearnersKit

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// A law that data are drawn from, and the effect that it has.
enum Generator: String, CaseIterable {
    /// A randomised trial: `SyntheticDataset.linear`.
    case trial
    /// An observational study of a linear effect beside a non-linear baseline.
    case study
    /// A study of 100 clusters: `SyntheticDataset.clustered`.
    case clusters
    /// Nie & Wager's setup B: a trial with an effect that is not linear.
    case curved

    /// The law in formulas.
    var formula: String {
        switch self {
        case .trial: "e = ½, μ₀ = 1 + x₁ − x₂/2, τ = ½ + x₁ + x₃/4"
        case .study: "e = logistic(x₁/2), μ₀ = sin 2x₂ + x₁x₃/2, τ = 1 + x₁/2 − x₂/4"
        case .clusters:
            "100 clusters with x₁ and a shift N(0, 1) each, e = logistic(x₂/2), μ₀ = x₂, τ = 1 + x₁/2"
        case .curved: "e = ½, b = max(x₁ + x₂, x₃, 0) + max(x₄ + x₅, 0), τ = x₁ + log(1 + exp x₂)"
        }
    }

    /// Draws rows with their true effects.
    func draw(rows: Int, seed: UInt64) throws -> SyntheticDataset {
        switch self {
        case .trial: try .linear(rows: rows, seed: seed)
        case .study: try Self.study(rows: rows, seed: seed)
        case .clusters: try .clustered(clusters: 100, rowsPerCluster: rows / 100, seed: seed)
        case .curved: try .nieWager(.b, rows: rows, seed: seed)
        }
    }

    private static func study(rows: Int, seed: UInt64) throws(MetaLearnersError) -> SyntheticDataset {
        var stream = RandomStream(seed: seed, path: 0x5354_5544)
        let x = (0..<rows).map { _ in (0..<4).map { _ in stream.normal() } }
        let treated = x.map { 1 / (1 + exp(-$0[0] / 2)) }
        let control = x.map { sin(2 * $0[1]) + $0[0] * $0[2] / 2 }
        let effect = x.map { 1 + $0[0] / 2 - $0[1] / 4 }
        return try .draw(
            rows: x, propensities: [treated.map { 1 - $0 }, treated],
            armOutcomes: [control, zip(control, effect).map { $0 + $1 }], noise: 1, seed: seed)
    }
}
