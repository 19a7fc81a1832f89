import MetaLearnersCore

/// The elastic net over sparse rows of many columns: what `CoordinateDescent` minimises, by descent on the residuals
/// (Friedman, Hastie & Tibshirani 2010, section 2.1), where a matrix of all products would be too large. A coordinate
/// takes as long as it has stored values.
///
/// Nothing is filled in by centring: the residuals e = v − f·x·β leave the intercept out, whose best value Σ f·e/Σ f² is
/// kept beside them.
final class SparseDescent: PathDescent {
    /// The most sweeps for one penalty.
    private static let sweepLimit = 2000

    /// Whether to go over what is stored rather than over a matrix of all products: where that does not fit, or where a
    /// sweep takes less time.
    static func serves(width: Int, stored: Int) -> Bool {
        width > DesignBlocks.sparseGramLimit || stored < width * width / 16
    }

    private let rows: Rows
    private let heldOut: Range<Int>
    private let l1Ratio: Double
    private let scale: Double
    private let leastChange: Double
    private let slack: Double
    /// Σ f² over the rows kept.
    private let total: Double
    /// For each column scale·x, its mean and its variance over the rows kept, with weights f².
    private let means: [Double]
    private let variances: [Double]
    let largestMoment: Double
    private(set) var coefficients: [Double]
    private(set) var converged = true
    private var residuals: [Double]
    private var intercept: Double
    /// The covariance of each column with the residuals, as the last pass over all of them found it.
    private var gradient: [Double]
    private var active: [Int] = []
    private var isActive: [Bool]
    private var lastLambda: Double

    /// Sparse rows with factors and responses, and what is stored by columns.
    struct Rows: Sendable {
        let design: SparseRows
        let factors: [Double]
        let responses: [Double]
        /// For each column, where it begins in `places` and `values`.
        let starts: [Int]
        let places: [Int32]
        /// f·scale·x.
        let values: [Double]

        init(_ design: SparseRows, factors: [Double], responses: [Double]) {
            var starts = [Int](repeating: 0, count: design.width + 1)
            design.forEachRow { _, columns, _ in
                for column in columns { starts[Int(column) + 1] += 1 }
            }
            for column in 0..<design.width { starts[column + 1] += starts[column] }
            var next = starts
            var places = [Int32](repeating: 0, count: starts[design.width])
            var values = [Double](repeating: 0, count: starts[design.width])
            design.forEachRow { row, columns, numbers in
                for index in 0..<columns.count {
                    let column = Int(columns[index])
                    places[next[column]] = Int32(truncatingIfNeeded: row)
                    values[next[column]] = factors[row] * design.scales[column] * numbers[index]
                    next[column] += 1
                }
            }
            self.design = design
            self.factors = factors
            self.responses = responses
            self.starts = starts
            self.places = places
            self.values = values
        }

        /// Calls `body` with the row and f·scale·x of each stored value of a column.
        @inline(__always)
        func forEachEntry(_ column: Int, _ body: (Int, Double) -> Void) {
            places.withUnsafeBufferPointer { places in
                values.withUnsafeBufferPointer { values in
                    for index in starts[column]..<starts[column + 1] {
                        body(Int(places[index]), values[index])
                    }
                }
            }
        }
    }

    /// - Parameters:
    ///   - heldOut: the rows to leave out.
    ///   - scale: as `CoordinateDescent` has it.
    /// - Throws: `numericalFailure` where sums overflow.
    /// - Complexity: O(stored values).
    init(_ rows: Rows, heldOut: Range<Int>, l1Ratio: Double, scale: Double, tolerance: Double = 1e-10)
        throws(MetaLearnersError)
    {
        let width = rows.design.width
        // Rows that are left out have residuals and factors of 0.
        var residuals = rows.responses
        var total = 0.0
        var sum = 0.0
        for row in residuals.indices {
            if heldOut.contains(row) {
                residuals[row] = 0
            } else {
                total += rows.factors[row] * rows.factors[row]
                sum += rows.factors[row] * residuals[row]
            }
        }
        guard total > 0 else { throw LeastSquares.overflow }
        var means = [Double](repeating: 0, count: width)
        var variances = means
        var gradient = means
        for column in 0..<width {
            var (first, squares, products) = (0.0, 0.0, 0.0)
            rows.forEachEntry(column) { row, value in
                guard !heldOut.contains(row) else { return }
                first += rows.factors[row] * value
                squares += value * value
                products += residuals[row] * value
            }
            means[column] = first / total
            variances[column] = squares / total - means[column] * means[column]
            gradient[column] = products / total - means[column] * sum / total
        }
        guard variances.allSatisfy(\.isFinite), gradient.allSatisfy(\.isFinite) else {
            throw LeastSquares.overflow
        }
        self.rows = rows
        self.heldOut = heldOut
        self.l1Ratio = l1Ratio
        self.scale = scale
        self.total = total
        self.means = means
        self.variances = variances
        self.residuals = residuals
        self.gradient = gradient
        intercept = sum / total
        coefficients = [Double](repeating: 0, count: width)
        isActive = [Bool](repeating: false, count: width)
        largestMoment = gradient.reduce(0) { max($0, abs($1)) }
        leastChange = tolerance * largestMoment
        slack = 0.1 * tolerance * largestMoment
        lastLambda = largestMoment / l1Ratio
    }

    func advance(to lambda: Double, _ context: ExecutionContext) throws(MetaLearnersError) {
        let l1 = lambda * l1Ratio
        let l2 = (lambda - l1) / scale
        admit(above: max(2 * l1 - lastLambda * l1Ratio, 0))
        lastLambda = lambda
        converged = true
        var sweeps = 0
        repeat {
            try context.checkCancellation()
            while sweep(l1: l1, l2: l2) > leastChange {
                sweeps += 1
                guard sweeps < Self.sweepLimit else {
                    converged = false
                    break
                }
                if sweeps % 16 == 0 { try context.checkCancellation() }
            }
            differentiate()
        } while admit(above: l1 + slack) && converged
    }

    /// Makes columns active whose gradient exceeds `bound`; whether there were any.
    @discardableResult
    private func admit(above bound: Double) -> Bool {
        let added = gradient.indices.filter {
            !isActive[$0] && abs(gradient[$0]) > bound
                && variances[$0] > CoordinateDescent.leastVariance
        }
        for column in added { isActive[column] = true }
        active += added
        return !added.isEmpty
    }

    /// Minimises over each active coefficient in turn; the largest change, in units of the gradient.
    private func sweep(l1: Double, l2: Double) -> Double {
        var largest = 0.0
        residuals.withUnsafeMutableBufferPointer { residuals in
            for column in active {
                var product = 0.0
                rows.forEachEntry(column) { row, value in product += value * residuals[row] }
                let variance = variances[column]
                let old = coefficients[column]
                let pull = product / total - means[column] * intercept + variance * old
                let size = abs(pull) - l1
                let new = size > 0 ? (pull > 0 ? size : -size) / (variance + l2) : 0
                guard new != old else { continue }
                coefficients[column] = new
                let step = new - old
                largest = max(largest, abs(step) * (variance + l2))
                if heldOut.isEmpty {
                    rows.forEachEntry(column) { row, value in residuals[row] -= step * value }
                } else {
                    rows.forEachEntry(column) { row, value in
                        if !heldOut.contains(row) { residuals[row] -= step * value }
                    }
                }
                intercept -= step * means[column]
            }
        }
        return largest
    }

    /// The gradient of every column, from an intercept that is summed anew.
    private func differentiate() {
        var sum = 0.0
        for row in residuals.indices { sum += rows.factors[row] * residuals[row] }
        intercept = sum / total
        residuals.withUnsafeBufferPointer { residuals in
            for column in gradient.indices {
                var product = 0.0
                rows.forEachEntry(column) { row, value in product += value * residuals[row] }
                gradient[column] = product / total - means[column] * intercept
            }
        }
    }

    func heldOutLoss() -> Double {
        var loss = 0.0
        rows.design.restricted(to: heldOut).forEachRow { place, columns, values in
            let row = heldOut.lowerBound + place
            var value = intercept
            for index in 0..<columns.count {
                let column = Int(columns[index])
                value += rows.design.scales[column] * values[index] * coefficients[column]
            }
            let residual = rows.responses[row] - rows.factors[row] * value
            loss += residual * residual
        }
        return loss
    }
}
