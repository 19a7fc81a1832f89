import MetaLearnersCore

/// The part of a covariance problem that coordinate descent works on: the columns that may have coefficients other
/// than 0, side by side.
struct ActiveColumns {
    /// The most non-zero coefficients whose linear system is solved.
    private static let directLimit = 1000
    /// The most linear systems that are solved between sweeps.
    private static let directSteps = 8
    /// The most sweeps for one set of columns and one penalty.
    private static let sweepLimit = 1000

    /// The columns, in the order in which they came.
    private(set) var columns: [Int] = []
    /// One for each of these.
    private(set) var coefficients: [Double] = []
    private var moments: [Double] = []
    /// Their covariances, columns `capacity` apart.
    private var matrix: [Double] = []
    private var capacity = 0

    /// Adds columns of `problem`, with coefficients of 0.
    ///
    /// - Throws: `outOfMemory`.
    mutating func append(_ added: [Int], of problem: any CovarianceProblem) throws(MetaLearnersError) {
        let needed = columns.count + added.count
        if needed > capacity {
            let larger = max(needed, min(2 * capacity, problem.width), 16)
            var copy = [Double](repeating: 0, count: larger * larger)
            for column in columns.indices {
                for row in columns.indices { copy[column * larger + row] = matrix[column * capacity + row] }
            }
            matrix = copy
            capacity = larger
        }
        for column in added {
            let place = columns.count
            columns.append(column)
            coefficients.append(0)
            moments.append(problem.moments[column])
            let products = try problem.column(column)
            for (other, index) in columns.enumerated() {
                matrix[place * capacity + other] = products[index]
                matrix[other * capacity + place] = products[index]
            }
        }
    }

    /// Minimises over these columns, from the coefficients that stand; false where that takes too many sweeps.
    ///
    /// Where descent is slow, a linear system is solved every so many sweeps that both cost about the same.
    ///
    /// - Parameters:
    ///   - leastChange: the change of the gradient that counts as none.
    ///   - slack: the violation of the conditions of optimality that counts as none.
    /// - Throws: `outOfMemory`.
    mutating func minimise(l1: Double, l2: Double, leastChange: Double, slack: Double)
        throws(MetaLearnersError) -> Bool
    {
        guard !columns.isEmpty else { return true }
        var gradient = gradient(at: coefficients)
        var sweepsLeft = Self.sweepLimit
        while sweepsLeft > 0 {
            for _ in 0..<max(4, supportCount / 8) {
                if sweep(&gradient, l1: l1, l2: l2) <= leastChange { return true }
                sweepsLeft -= 1
            }
            if try settle(l1: l1, l2: l2, slack: slack) { return true }
            gradient = self.gradient(at: coefficients)
        }
        return false
    }

    private var supportCount: Int { coefficients.count { $0 != 0 } }

    /// c − G·β.
    private func gradient(at coefficients: [Double]) -> [Double] {
        var gradient = moments
        let count = Int32(clamping: gradient.count)
        gradient.withUnsafeMutableBufferPointer { gradient in
            matrix.withUnsafeBufferPointer { matrix in
                guard let gradient = gradient.baseAddress, let matrix = matrix.baseAddress else { return }
                for (place, value) in coefficients.enumerated() where value != 0 {
                    BLAS.axpy(count, -value, matrix + place * capacity, 1, gradient, 1)
                }
            }
        }
        return gradient
    }

    /// Minimises over each coefficient in turn; the largest change, in units of the gradient.
    private mutating func sweep(_ gradient: inout [Double], l1: Double, l2: Double) -> Double {
        let count = columns.count
        let capacity = capacity
        var largest = 0.0
        gradient.withUnsafeMutableBufferPointer { gradient in
            coefficients.withUnsafeMutableBufferPointer { coefficients in
                matrix.withUnsafeBufferPointer { matrix in
                    guard let first = matrix.baseAddress, let ofGradient = gradient.baseAddress else {
                        return
                    }
                    for place in 0..<count {
                        let column = place * capacity
                        let variance = matrix[column + place]
                        let old = coefficients[place]
                        let pull = gradient[place] + variance * old
                        let size = abs(pull) - l1
                        let new = size > 0 ? (pull > 0 ? size : -size) / (variance + l2) : 0
                        guard new != old else { continue }
                        coefficients[place] = new
                        let step = new - old
                        largest = max(largest, abs(step) * (variance + l2))
                        BLAS.axpy(Int32(clamping: count), -step, first + column, 1, ofGradient, 1)
                    }
                }
            }
        }
        return largest
    }

    /// Goes towards the minimum among coefficients of the same signs, as far as signs stay, and on without those that
    /// became 0; whether that led to the minimum. The loss never rises but for rounding.
    private mutating func settle(l1: Double, l2: Double, slack: Double) throws(MetaLearnersError) -> Bool {
        for _ in 0..<Self.directSteps {
            let support = coefficients.indices.filter { coefficients[$0] != 0 }
            guard let target = try direct(support, l1: l1, l2: l2) else { return false }
            // The part of the way after which the first coefficient is 0.
            var part = 1.0
            var first: Int?
            for (index, place) in support.enumerated() {
                let old = coefficients[place]
                guard target[index] == 0 || (target[index] > 0) != (old > 0) else { continue }
                let crossing = old / (old - target[index])
                if crossing < part || first == nil {
                    part = crossing
                    first = place
                }
            }
            for (index, place) in support.enumerated() {
                coefficients[place] += part * (target[index] - coefficients[place])
                if part == 1 { coefficients[place] = target[index] }
            }
            if let first {
                coefficients[first] = 0
                continue
            }
            // (Also among the support: where columns are nearly the same, the system's solution need not be one.)
            let gradient = gradient(at: coefficients)
            return coefficients.indices.allSatisfy {
                let value = coefficients[$0]
                guard value != 0 else { return abs(gradient[$0]) <= l1 + slack }
                return abs(gradient[$0] - (value > 0 ? l1 : -l1) - l2 * value) <= slack
            }
        }
        return false
    }

    /// The minimum over the coefficients at `support`, were the signs that they have to stay; nil where that cannot be
    /// told.
    private func direct(_ support: [Int], l1: Double, l2: Double) throws(MetaLearnersError) -> [Double]? {
        guard support.count <= Self.directLimit else { return nil }
        guard !support.isEmpty else { return [] }
        let right = try DoubleBuffer(support.count)
        for (index, place) in support.enumerated() {
            right.start[index] = moments[place] - (coefficients[place] > 0 ? l1 : -l1)
        }
        guard let factor = try factor(support, l2: l2) else { return nil }
        factor.solve(right)
        return right.isFinite ? right.array : nil
    }

    /// The factor of the system of `support`; nil where its columns are so nearly alike that solutions would be rounding.
    private func factor(_ support: [Int], l2: Double) throws(MetaLearnersError) -> CholeskyFactor? {
        // What the factor's diagonal bounds generously needs no estimate.
        for (condition, least) in [(CholeskyFactor.Condition.bound, 1e-6), (.estimate, 1e-12)] {
            let order = support.count
            let system = try DoubleBuffer(order * order)
            for (index, place) in support.enumerated() {
                for (row, other) in support[...index].enumerated() {
                    system.start[index * order + row] = matrix[place * capacity + other]
                }
                system.start[index * (order + 1)] += l2
            }
            guard let factor = try CholeskyFactor(system, order: order, condition) else { return nil }
            if factor.reciprocalCondition > least { return factor }
        }
        return nil
    }
}
