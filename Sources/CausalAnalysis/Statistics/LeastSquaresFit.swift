import MetaLearnersCore

/// How the variance of least-squares coefficients is estimated.
public enum CoefficientErrors: String, Sendable, CaseIterable {
    /// White's: squared residuals as they are.
    case hc0
    /// HC0 times n/(n − k) for k coefficients.
    case hc1
    /// Squared residuals over 1 − h for a leverage of h.
    case hc2
    /// Squared residuals over (1 − h)².
    case hc3
}

/// Numbers that an outcome is regressed on: the first column is the constant.
struct DesignMatrix {
    /// A name for each column.
    var names: [String]
    /// One row after another.
    var values: [Double]

    /// The number of columns.
    var width: Int { names.count }

    /// The numbers of a row.
    func row(_ index: Int) -> ArraySlice<Double> { values[index * width..<(index + 1) * width] }
}

/// A weighted least-squares fit with robust variances (White 1980; MacKinnon & White 1985; Liang & Zeger 1986).
///
/// The columns are centred and scaled before the normal equations are solved by Cholesky's method, and the solution is
/// refined once with the residuals, so that it has the digits of an orthogonal method. A column that depends on those
/// before it gets no coefficient. O(rows × columns²).
struct LeastSquaresFit {
    /// A coefficient for each column; 0 where the column depends on those before it.
    let coefficients: [Double]
    /// Whether a column depends on those before it.
    let isAliased: [Bool]
    /// y − xβ for each row.
    let residuals: [Double]
    /// 1 − Σ w r² / Σ w (y − ȳ)²; NaN where the outcome does not vary.
    let rSquared: Double
    /// Rows minus coefficients or, where there are clusters, clusters minus 1.
    let degreesOfFreedom: Double

    private let width: Int
    private let scaled: [Double]
    private let weights: [Double]
    private let clusters: [Int]?
    private let clusterCount: Int
    /// Each column's mean and deviation: β_j = γ_j / scale_j.
    private let centres: [Double]
    private let scales: [Double]
    /// The inverse of Zᵀ W Z of the scaled columns Z.
    private let inverse: [Double]
    /// The residuals times what the kind of errors makes of the leverage.
    private let adjusted: [Double]

    /// Fits the outcome.
    ///
    /// - Parameters:
    ///   - design: the columns, the constant first.
    ///   - outcome: y for each row.
    ///   - weights: w > 0 for each row.
    ///   - clusters: codes for each row; nil where rows are independent. With clusters the errors are cluster-robust (CR1),
    ///     whatever `errors` says.
    ///   - errors: the kind of errors.
    /// - Throws: `invalidData` where there are not more rows than coefficients, or fewer than two clusters.
    init(
        _ design: DesignMatrix, _ outcome: [Double], weights: [Double], clusters: [Int32]?,
        errors: CoefficientErrors
    ) throws(MetaLearnersError) {
        let rows = outcome.count
        let width = design.width
        self.width = width
        self.weights = weights
        let total = weights.reduce(0, +)
        var centres = [Double](repeating: 0, count: width)
        var scales = [Double](repeating: 1, count: width)
        for column in 1..<max(width, 1) {
            var sum = 0.0
            for row in 0..<rows { sum += weights[row] * design.values[row * width + column] }
            centres[column] = sum / total
            var squares = 0.0
            for row in 0..<rows {
                let distance = design.values[row * width + column] - centres[column]
                squares += weights[row] * distance * distance
            }
            let deviation = (squares / total).squareRoot()
            // A constant differs from its mean by rounding alone.
            scales[column] = deviation > 1e-12 * abs(centres[column]) ? deviation : .infinity
        }
        var scaled = design.values
        for row in 0..<rows {
            for column in 1..<max(width, 1) {
                scaled[row * width + column] =
                    (scaled[row * width + column] - centres[column]) / scales[column]
            }
        }
        let factor = GramFactor(scaled, width: width, weights: weights)
        isAliased = factor.isDependent
        let used = factor.isDependent.count { !$0 }
        guard rows > used else {
            throw MetaLearnersError(
                .invalidData, at: "rows",
                "there are \(rows) rows for \(used) coefficients: there must be more",
                remedy: "leave columns out, or use larger groups")
        }
        var solution = [Double](repeating: 0, count: width)
        var residuals = outcome
        for _ in 0..<2 {
            let step = factor.solve(Self.product(scaled, width, zip(weights, residuals).map { $0 * $1 }))
            for column in 0..<width { solution[column] += step[column] }
            residuals = outcome.indices.map { row in
                var value = outcome[row]
                for column in 0..<width { value -= scaled[row * width + column] * solution[column] }
                return value
            }
        }
        var coefficients = (0..<width).map { factor.isDependent[$0] ? 0 : solution[$0] / scales[$0] }
        for column in 1..<max(width, 1) { coefficients[0] -= coefficients[column] * centres[column] }
        self.coefficients = coefficients
        self.residuals = residuals
        self.scaled = scaled
        self.centres = centres
        self.scales = scales
        let inverse = factor.inverse
        self.inverse = inverse
        let mean = zip(weights, outcome).reduce(0) { $0 + $1.0 * $1.1 } / total
        let squares = outcome.indices.reduce(0) {
            $0 + weights[$1] * (outcome[$1] - mean) * (outcome[$1] - mean)
        }
        let left = residuals.indices.reduce(0) { $0 + weights[$1] * residuals[$1] * residuals[$1] }
        rSquared = squares > 0 ? 1 - left / squares : .nan
        if let clusters {
            var codes: [Int32: Int] = [:]
            self.clusters = clusters.map { code in
                if let known = codes[code] { return known }
                codes[code] = codes.count
                return codes.count - 1
            }
            clusterCount = codes.count
            guard codes.count > 1 else {
                throw MetaLearnersError(
                    .invalidData, at: "clusters", "all rows are of one cluster, so that no error can be known"
                )
            }
            let correction =
                Double(codes.count) / Double(codes.count - 1) * Double(rows - 1) / Double(rows - used)
            adjusted = residuals.map { $0 * correction.squareRoot() }
            degreesOfFreedom = Double(codes.count - 1)
        } else {
            self.clusters = nil
            clusterCount = 0
            degreesOfFreedom = Double(rows - used)
            switch errors {
            case .hc0: adjusted = residuals
            case .hc1:
                let correction = (Double(rows) / Double(rows - used)).squareRoot()
                adjusted = residuals.map { $0 * correction }
            case .hc2, .hc3:
                let (fitted, standardised) = (residuals, scaled)
                adjusted = fitted.indices.map { row in
                    let left = 1 - weights[row] * Self.form(inverse, standardised, width, row)
                    // A row that a coefficient of its own fits has no residual, whatever one divides it by.
                    guard left > 1e-10 else { return 0 }
                    return fitted[row] / (errors == .hc3 ? left : left.squareRoot())
                }
            }
        }
    }

    /// The variances and covariances of the coefficients, row by row; 0 for columns without a coefficient.
    func covariance() -> [Double] {
        var meat = [Double](repeating: 0, count: width * width)
        func add(_ score: [Double]) {
            for row in 0..<width where score[row] != 0 {
                for column in 0..<width { meat[row * width + column] += score[row] * score[column] }
            }
        }
        if let clusters {
            var sums = [Double](repeating: 0, count: clusterCount * width)
            for row in residuals.indices {
                let factor = weights[row] * adjusted[row]
                for column in 0..<width {
                    sums[clusters[row] * width + column] += factor * scaled[row * width + column]
                }
            }
            for cluster in 0..<clusterCount { add(Array(sums[cluster * width..<(cluster + 1) * width])) }
        } else {
            var score = [Double](repeating: 0, count: width)
            for row in residuals.indices {
                let factor = weights[row] * adjusted[row]
                for column in 0..<width { score[column] = factor * scaled[row * width + column] }
                add(score)
            }
        }
        // T (ZᵀWZ)⁻¹ M (ZᵀWZ)⁻¹ Tᵀ with β = T γ.
        var back = [Double](repeating: 0, count: width * width)
        for column in 0..<width {
            var unit = [Double](repeating: 0, count: width)
            unit[column] = 1
            let vector = direction(of: unit)
            back.replaceSubrange(column * width..<(column + 1) * width, with: vector)
        }
        return Self.multiply(Self.multiply(back, meat, width), back, width, transposed: true)
    }

    /// What each row adds to the error of a combination cᵀβ: its sum of squares, by row or by cluster, is the variance.
    func influences(of combination: [Double]) -> [Double] {
        let vector = direction(of: combination)
        return residuals.indices.map { row in
            var sum = 0.0
            for column in 0..<width { sum += scaled[row * width + column] * vector[column] }
            return weights[row] * adjusted[row] * sum
        }
    }

    /// A combination cᵀβ with its error.
    ///
    /// - Parameter extra: what each row adds to the error beside the coefficients' own; empty for nothing.
    func estimate(_ combination: [Double], extra: [Double] = []) -> NormalEstimate {
        var influences = influences(of: combination)
        if !extra.isEmpty { for row in influences.indices { influences[row] += extra[row] } }
        if let clusters {
            var sums = [Double](repeating: 0, count: clusterCount)
            for row in influences.indices { sums[clusters[row]] += influences[row] }
            influences = sums
        }
        return NormalEstimate(
            estimate: zip(combination, coefficients).reduce(0) { $0 + $1.0 * $1.1 },
            stdError: influences.reduce(0) { $0 + $1 * $1 }.squareRoot(),
            degreesOfFreedom: degreesOfFreedom)
    }

    /// (ZᵀWZ)⁻¹ Tᵀ c.
    private func direction(of combination: [Double]) -> [Double] {
        var moved = (0..<width).map { (combination[$0] - combination[0] * centres[$0]) / scales[$0] }
        moved[0] = combination[0]
        for column in 0..<width where isAliased[column] { moved[column] = 0 }
        return (0..<width).map { row in
            (0..<width).reduce(0) { $0 + inverse[row * width + $1] * moved[$1] }
        }
    }

    /// Zᵀ v.
    private static func product(_ matrix: [Double], _ width: Int, _ vector: [Double]) -> [Double] {
        var result = [Double](repeating: 0, count: width)
        for row in vector.indices {
            for column in 0..<width { result[column] += matrix[row * width + column] * vector[row] }
        }
        return result
    }

    /// zᵀ A z of a row z.
    private static func form(_ matrix: [Double], _ rows: [Double], _ width: Int, _ row: Int) -> Double {
        var sum = 0.0
        for line in 0..<width {
            var inner = 0.0
            for column in 0..<width { inner += matrix[line * width + column] * rows[row * width + column] }
            sum += inner * rows[row * width + line]
        }
        return sum
    }

    private static func multiply(
        _ left: [Double], _ right: [Double], _ width: Int, transposed: Bool = false
    ) -> [Double] {
        var result = [Double](repeating: 0, count: width * width)
        for row in 0..<width {
            for inner in 0..<width {
                let factor = left[row * width + inner]
                if factor == 0 { continue }
                for column in 0..<width {
                    result[row * width + column] +=
                        factor * (transposed ? right[column * width + inner] : right[inner * width + column])
                }
            }
        }
        return result
    }
}

/// Zᵀ W Z, factorised.
private struct GramFactor {
    private let factor: [Double]
    private let width: Int
    /// Whether a column depends on those before it.
    let isDependent: [Bool]

    init(_ matrix: [Double], width: Int, weights: [Double]) {
        var gram = [Double](repeating: 0, count: width * width)
        matrix.withUnsafeBufferPointer { matrix in
            gram.withUnsafeMutableBufferPointer { gram in
                for row in weights.indices {
                    for line in 0..<width {
                        let value = weights[row] * matrix[row * width + line]
                        if value == 0 { continue }
                        for column in 0...line {
                            gram[line * width + column] += value * matrix[row * width + column]
                        }
                    }
                }
            }
        }
        var none = [Double](repeating: 0, count: width)
        gram.withUnsafeMutableBufferPointer { gram in
            none.withUnsafeMutableBufferPointer { none in
                if let gram = gram.baseAddress, let none = none.baseAddress {
                    _ = SmallCholesky.factorize(gram, order: width, none, leastPivot: 1e-11)
                }
            }
        }
        self.width = width
        factor = gram
        isDependent = (0..<width).map { !(gram[$0 * width + $0] > 0) }
    }

    /// The solution of ZᵀWZ x = b, 0 for columns that depend on others.
    func solve(_ right: [Double]) -> [Double] {
        var vector = right
        for row in 0..<width {
            guard !isDependent[row] else {
                vector[row] = 0
                continue
            }
            for column in 0..<row { vector[row] -= factor[row * width + column] * vector[column] }
            vector[row] /= factor[row * width + row]
        }
        factor.withUnsafeBufferPointer { factor in
            vector.withUnsafeMutableBufferPointer { vector in
                if let factor = factor.baseAddress, let vector = vector.baseAddress {
                    SmallCholesky.substitute(factor, order: width, vector)
                }
            }
        }
        return vector
    }

    /// The inverse, 0 for columns that depend on others.
    var inverse: [Double] {
        var result: [Double] = []
        for column in 0..<width {
            var unit = [Double](repeating: 0, count: width)
            unit[column] = 1
            result += solve(unit)
        }
        return result
    }
}
