/// What the rows of each group add up to: weights, predictions, target, and their products.
package struct StackSums {
    package struct Group {
        package fileprivate(set) var weight = 0.0
        /// Σ w².
        fileprivate var weightSquares = 0.0
        /// Σ w·(z_j − c_j), and Σ w·(y − c).
        package fileprivate(set) var values: [Double]
        package fileprivate(set) var target = 0.0
        /// Σ w·(z_j − c_j)(z_i − c_i) for i ≤ j; Σ w·(z_j − c_j)(y − c); Σ w·(y − c)².
        package fileprivate(set) var products: [Double]
        package fileprivate(set) var moments: [Double]
        package fileprivate(set) var square = 0.0
        /// c_j and c: near the means, so that little is lost where means are subtracted.
        package let centers: [Double]
        package let center: Double

        /// All that is added up, in one order.
        fileprivate var numbers: [Double] {
            [weight, weightSquares, target, square] + values + moments + products
        }

        /// Σ w·(y − c − Σ_j a_j·(z_j − c_j))² of a combination of members.
        package func loss(of weights: [Double]) -> Double {
            let count = weights.count
            var loss = square
            for member in 0..<count where weights[member] != 0 {
                loss -= 2 * weights[member] * moments[member]
                for other in 0..<count {
                    loss += weights[member] * weights[other] * product(member, other)
                }
            }
            return loss
        }

        /// The weighted mean square of what a combination of members leaves of the target, whatever its intercept.
        func noise(of weights: [Double]) -> Double {
            guard weight > 0 else { return 0 }
            let mean = zip(weights, values).reduce(target) { $0 - $1.0 * $1.1 } / weight
            return max(loss(of: weights) / weight - mean * mean, 0)
        }

        /// The weight of a row, where rows of equal weight say as much (Kish 1965).
        package var rowWeight: Double { weight > 0 ? weightSquares / weight : 0 }

        /// How many rows of equal weight say as much.
        package var effectiveRows: Double { rowWeight > 0 ? weight / rowWeight : 0 }

        /// The same with a penalty on the weights of the first members: `penalty` times Σ (a_j − `center`)² is added to the loss.
        func drawing(first count: Int, towards center: Double, by penalty: Double) -> Group {
            var drawn = self
            for member in 0..<count {
                drawn.products[member * (moments.count + 1)] += penalty
                drawn.moments[member] += penalty * center
            }
            drawn.square += penalty * center * center * Double(count)
            return drawn
        }

        /// Σ w·z_i·z_j.
        package func product(_ member: Int, _ other: Int) -> Double {
            products[max(member, other) * moments.count + min(member, other)]
        }

        /// The sums of other members: the first times a factor, all others as they are.
        package func scalingFirst(by factor: Double) -> Group {
            var scaled = self
            scaled.values[0] *= factor
            scaled.moments[0] *= factor
            for member in moments.indices {
                scaled.products[member * moments.count] *= member == 0 ? factor * factor : factor
            }
            return scaled
        }

        /// Takes over what was added up of several processes.
        fileprivate mutating func use(_ numbers: ArraySlice<Double>) {
            var rest = numbers
            func take(_ count: Int) -> [Double] {
                defer { rest = rest.dropFirst(count) }
                return Array(rest.prefix(count))
            }
            let single = take(4)
            (weight, weightSquares, target, square) = (single[0], single[1], single[2], single[3])
            values = take(values.count)
            moments = take(moments.count)
            products = take(products.count)
        }

        fileprivate mutating func add(_ other: Group) {
            weight += other.weight
            weightSquares += other.weightSquares
            target += other.target
            square += other.square
            for index in values.indices { values[index] += other.values[index] }
            for index in moments.indices { moments[index] += other.moments[index] }
            for index in products.indices { products[index] += other.products[index] }
        }
    }

    private var groups: [Group]

    /// Those of the first group.
    var first: Group? { groups.first }

    /// Adds up rows.
    ///
    /// - Parameters:
    ///   - predictions: one list for each member, all as long as the target.
    ///   - rowWeights: one for each row; nil where all count alike.
    ///   - group: which group each row is of, from 0; nil where all are of one.
    ///   - count: how many groups there are.
    ///   - constraint: sums are about the means where the intercept is free.
    ///   - distribution: what joins the processes that hold the rows.
    /// - Throws: what the collective throws.
    /// - Complexity: O(rows × members²).
    package init(
        _ predictions: [[Double]], target: [Double], rowWeights: [Double]?, groups group: [Int32]?,
        count: Int,
        _ constraint: ConvexStack.Constraint, _ distribution: DistributedRows?
    ) throws(MetaLearnersError) {
        let members = predictions.count
        var centers = [Double](repeating: 0, count: members)
        var middle = 0.0
        if constraint.hasIntercept {
            func sum(_ values: [Double]) -> Double {
                guard let rowWeights else { return values.reduce(0, +) }
                return zip(values, rowWeights).reduce(0) { $0 + $1.0 * $1.1 }
            }
            let sums = try distribution.sum(
                [rowWeights?.reduce(0, +) ?? Double(target.count), sum(target)] + predictions.map(sum))
            if sums[0] > 0 {
                middle = sums[1] / sums[0]
                centers = sums.dropFirst(2).map { $0 / sums[0] }
            }
        }
        groups = [Group](
            repeating: Group(
                values: [Double](repeating: 0, count: members),
                products: [Double](repeating: 0, count: members * members),
                moments: [Double](repeating: 0, count: members), centers: centers, center: middle),
            count: count)
        // Members one after the other, each with those before it: long runs over few lists.
        var differences: [[Double]] = []
        let deviation = target.map { $0 - middle }
        let groupOfRow = group ?? []
        func index(_ row: Int) -> Int { group == nil ? 0 : Int(groupOfRow[row]) }
        for row in target.indices {
            let weight = rowWeights?[row] ?? 1
            groups[index(row)].weight += weight
            groups[index(row)].weightSquares += weight * weight
            groups[index(row)].target += weight * deviation[row]
            groups[index(row)].square += weight * deviation[row] * deviation[row]
        }
        for member in 0..<members {
            let difference = predictions[member].map { $0 - centers[member] }
            differences.append(difference)
            for row in target.indices {
                let value = (rowWeights?[row] ?? 1) * difference[row]
                groups[index(row)].values[member] += value
                groups[index(row)].moments[member] += value * deviation[row]
            }
            for other in 0...member {
                var sums = [Double](repeating: 0, count: count)
                let left = differences[member]
                let right = differences[other]
                for row in target.indices {
                    sums[index(row)] += (rowWeights?[row] ?? 1) * left[row] * right[row]
                }
                for group in 0..<count { groups[group].products[member * members + other] = sums[group] }
            }
        }
        guard let distribution else { return }
        var sums = try distribution.sum(groups.flatMap(\.numbers))[...]
        for group in groups.indices {
            let size = groups[group].numbers.count
            groups[group].use(sums.prefix(size))
            sums = sums.dropFirst(size)
        }
    }

    /// The sums of all groups but one; where only that one has rows that count, its own.
    package func rest(of group: Int) -> Group? {
        let rest = total(without: group)
        return rest.map { $0.weight > 0 } ?? false ? rest : total(without: nil)
    }

    /// The sums of all groups, but for one where that is named.
    package func total(without left: Int?) -> Group? {
        var total: Group?
        for (index, group) in groups.enumerated() where index != left {
            if total == nil { total = group } else { total?.add(group) }
        }
        return total
    }
}
