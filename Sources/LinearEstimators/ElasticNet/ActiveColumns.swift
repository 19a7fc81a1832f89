import MetaLearnersCore

/// The part of a covariance problem that coordinate descent works on: the columns that may have coefficients other
/// than 0, side by side.
struct ActiveColumns {
    /// The most non-zero coefficients whose linear system is solved.
    private static let directLimit = 500
    /// The most sweeps for one penalty.
    private static let sweepLimit = 20_000

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
    /// - Parameters:
    ///   - scale: what changes of the gradient are relative to.
    ///   - slack: the violation of the conditions of optimality that counts as none.
    /// - Throws: `outOfMemory`.
    mutating func minimise(l1: Double, l2: Double, scale: Double, slack: Double) throws(MetaLearnersError)
        -> Bool
    {
        guard !columns.isEmpty else { return true }
        var gradient = gradient(at: coefficients)
        var tolerance = 1e-2 * scale
        let least = 1e-12 * scale
        for sweep in 1...Self.sweepLimit {
            let change = self.sweep(&gradient, l1: l1, l2: l2)
            guard change <= tolerance || sweep % 32 == 0 else { continue }
            if let solution = try direct(l1: l1, l2: l2, slack: slack) {
                coefficients = solution
                return true
            }
            if change <= least { return true }
            while tolerance > least, change <= tolerance { tolerance *= 0.1 }
        }
        return false
    }

    /// c − G·β.
    private func gradient(at coefficients: [Double]) -> [Double] {
        var gradient = moments
        for (place, value) in coefficients.enumerated() where value != 0 {
            for row in gradient.indices { gradient[row] -= value * matrix[place * capacity + row] }
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
                        for row in 0..<count { gradient[row] -= step * matrix[column + row] }
                    }
                }
            }
        }
        return largest
    }

    /// The solution whose coefficients have the signs of those that stand; nil where there is none, or one that is
    /// not the minimum.
    private func direct(l1: Double, l2: Double, slack: Double) throws(MetaLearnersError) -> [Double]? {
        let support = coefficients.indices.filter { coefficients[$0] != 0 }
        var solution = [Double](repeating: 0, count: coefficients.count)
        if !support.isEmpty {
            guard support.count <= Self.directLimit else { return nil }
            let order = support.count
            let system = try DoubleBuffer(order * order)
            let right = try DoubleBuffer(order)
            for (index, place) in support.enumerated() {
                for (row, other) in support[...index].enumerated() {
                    system.start[index * order + row] = matrix[place * capacity + other]
                }
                system.start[index * (order + 1)] += l2
                right.start[index] = moments[place] - (coefficients[place] > 0 ? l1 : -l1)
            }
            guard let factor = try CholeskyFactor(system, order: order), factor.reciprocalCondition > 1e-12
            else {
                return nil
            }
            factor.solve(right)
            for (index, place) in support.enumerated() {
                let value = right.start[index]
                guard value.isFinite, (value > 0) == (coefficients[place] > 0), value != 0 else { return nil }
                solution[place] = value
            }
        }
        let gradient = gradient(at: solution)
        for place in solution.indices where solution[place] == 0 {
            guard abs(gradient[place]) <= l1 + slack else { return nil }
        }
        return solution
    }
}
