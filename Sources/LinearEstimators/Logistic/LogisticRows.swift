import MetaLearnersCore

/// What rows contribute to a logistic loss, given their linear functions.
struct LogisticRows {
    let functions: Int
    let classes: ClassLabels

    /// Replaces η by the derivative of the loss in it, fills in probabilities, and gives the loss of the rows.
    ///
    /// - Parameters:
    ///   - range: which of the classes' rows; the first of them stands at 0.
    ///   - linear: η of each function, functions `stride` apart.
    ///   - probabilities: likewise.
    func fill(
        _ range: Range<Int>, _ linear: UnsafeMutablePointer<Double>,
        _ probabilities: UnsafeMutablePointer<Double>, stride step: Int
    ) -> Double {
        var loss = 0.0
        for (offset, row) in range.enumerated() {
            let weight = classes.weights[row]
            let label = Int(classes.labels[row])
            if functions == 1 {
                let value = linear[offset]
                let probability = Logistic.shareByMagnitude(value)
                loss += weight * Logistic.softplus(label == 1 ? -value : value)
                probabilities[offset] = probability
                linear[offset] = weight * (label == 1 ? -Logistic.shareByMagnitude(-value) : probability)
                continue
            }
            var largest = -Double.infinity
            for function in 0..<functions { largest = max(largest, linear[function * step + offset]) }
            var sum = 0.0
            let own = linear[label * step + offset]
            for function in 0..<functions {
                let share = Double.exp(linear[function * step + offset] - largest)
                probabilities[function * step + offset] = share
                sum += share
            }
            loss += weight * (Double.log(sum) + largest - own)
            for function in 0..<functions {
                let probability = probabilities[function * step + offset] / sum
                probabilities[function * step + offset] = probability
                linear[function * step + offset] = weight * (probability - (function == label ? 1 : 0))
            }
        }
        return loss
    }
}
