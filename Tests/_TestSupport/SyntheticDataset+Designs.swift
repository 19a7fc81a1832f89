import MetaLearnersCore

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

extension SyntheticDataset {
    /// A randomised trial with a linear baseline 1 + x₁ − 0.5x₂ and a linear effect 0.5 + x₁ + 0.25x₃;
    /// covariates standard normal.
    ///
    /// - Parameters:
    ///   - columns: how many covariates, at least 3.
    ///   - share: the probability of treatment.
    ///   - noise: the standard deviation of the noise; 0 for outcomes without any.
    public static func linear(
        rows: Int, columns: Int = 4, share: Double = 0.5, noise: Double = 1, seed: UInt64
    ) throws(MetaLearnersError) -> SyntheticDataset {
        let x = normals(rows: rows, columns: max(columns, 3), seed: seed)
        let control = x.map { 1 + $0[0] - 0.5 * $0[1] }
        let effect = x.map { 0.5 + $0[0] + 0.25 * $0[2] }
        return try draw(
            rows: x,
            propensities: [
                [Double](repeating: 1 - share, count: rows), [Double](repeating: share, count: rows),
            ],
            armOutcomes: [control, zip(control, effect).map { $0 + $1 }], noise: noise, seed: seed)
    }

    /// An observational study with `arms` arms: propensities softmax(k·x₂/4), control outcome x₁ + x₂²/2,
    /// effect of arm k equal to k(0.5 + x₁/2) − x₂/2; covariates standard normal.
    public static func multiArm(
        rows: Int, arms: Int = 3, columns: Int = 4, noise: Double = 1, seed: UInt64
    ) throws(MetaLearnersError) -> SyntheticDataset {
        let x = normals(rows: rows, columns: max(columns, 2), seed: seed)
        var propensities = (0..<arms).map { arm in x.map { exp(Double(arm) * $0[1] / 4) } }
        for row in 0..<rows {
            let total = propensities.reduce(0) { $0 + $1[row] }
            for arm in 0..<arms { propensities[arm][row] /= total }
        }
        let control = x.map { $0[0] + $0[1] * $0[1] / 2 }
        let armOutcomes = (0..<arms).map { arm in
            zip(x, control).map { row, control in
                arm == 0 ? control : control + Double(arm) * (0.5 + row[0] / 2) - row[1] / 2
            }
        }
        return try draw(
            rows: x, propensities: propensities, armOutcomes: armOutcomes, noise: noise, seed: seed)
    }

    /// A study with outcomes 0 and 1: P(Y=1|x,w) = logistic(−0.5 + x₁ + w(0.5 + s·x₂)), propensity
    /// logistic(x₁/2); covariates standard normal.
    ///
    /// - Parameter slope: s, by which effects differ.
    public static func binary(rows: Int, columns: Int = 4, slope: Double = 0.5, seed: UInt64)
        throws(MetaLearnersError) -> SyntheticDataset
    {
        let x = normals(rows: rows, columns: max(columns, 2), seed: seed)
        let treated = x.map { logistic($0[0] / 2) }
        return try draw(
            rows: x, propensities: [treated.map { 1 - $0 }, treated],
            armOutcomes: [
                x.map { logistic(-0.5 + $0[0]) }, x.map { logistic($0[0] + slope * $0[1]) },
            ], noise: 0, binary: true, seed: seed)
    }

    /// A study of clusters: outcomes of a cluster share a normal shift of standard deviation `clusterNoise`, and
    /// covariate x₁ is the same in a whole cluster. Baseline x₂, effect 1 + x₁/2, propensity logistic(x₂/2).
    public static func clustered(
        clusters: Int, rowsPerCluster: Int, clusterNoise: Double = 1, noise: Double = 1, seed: UInt64
    ) throws(MetaLearnersError) -> SyntheticDataset {
        var stream = Stream.clusters.open(seed)
        let levels = (0..<clusters).map { _ in (covariate: stream.normal(), shift: stream.normal()) }
        let rows = clusters * rowsPerCluster
        var x = normals(rows: rows, columns: 4, seed: seed)
        for row in 0..<rows { x[row][0] = levels[row / rowsPerCluster].covariate }
        let treated = x.map { logistic($0[1] / 2) }
        return try draw(
            rows: x, propensities: [treated.map { 1 - $0 }, treated],
            armOutcomes: [x.map { $0[1] }, x.map { $0[1] + 1 + $0[0] / 2 }], noise: noise,
            shift: (0..<rows).map { clusterNoise * levels[$0 / rowsPerCluster].shift },
            clusters: (0..<rows).map { Int32($0 / rowsPerCluster) }, seed: seed)
    }

    private static func normals(rows: Int, columns: Int, seed: UInt64) -> [[Double]] {
        var stream = Stream.covariates.open(seed)
        return (0..<rows).map { _ in (0..<columns).map { _ in stream.normal() } }
    }

    private static func logistic(_ value: Double) -> Double { 1 / (1 + exp(-value)) }
}
