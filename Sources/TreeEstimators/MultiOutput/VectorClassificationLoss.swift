import MetaLearnersCore

/// The multinomial deviance, −Σ weight·log p of each row's class, with the diagonal of its Hessian:
/// w·p_c(1 − p_c)·K/(K − 1) (Friedman 2001, Annals of Statistics 29, 1189–1232).
struct VectorClassificationLoss: VectorLoss {
    let layout: VectorLayout
    let baseScores: [Double]
    let isHopeless: Bool
    let gradientBounds: [Double]
    let hessianBound: Double
    private let target: RowNumbers
    private let weights: [Double]?

    /// - Parameters:
    ///   - baseScores: the logarithm of each class's share.
    ///   - isHopeless: whether there is but one class.
    init(
        _ target: RowNumbers, weights: [Double]?, training: [Int32], baseScores: [Double], isHopeless: Bool
    ) {
        self.target = target
        self.weights = weights
        self.baseScores = baseScores
        self.isHopeless = isHopeless
        layout = VectorLayout(outputs: baseScores.count, hessian: .diagonal)
        let largest = training.reduce(0) { max($0, weights?[Int($1)] ?? 1) }
        gradientBounds = baseScores.map { _ in largest }
        hessianBound = largest
    }

    var startScores: [Double] { baseScores }
    var scoreUnits: [Double] { baseScores.map { _ in 1 } }
    var lossUnit: Double { 1 }
    var isQuadratic: Bool { false }

    func steepness(_ row: Int, _ scores: UnsafePointer<Double>) -> Double { 1 }

    func differentiate(
        _ row: Int, _ scores: UnsafePointer<Double>, gradients: UnsafeMutablePointer<Double>,
        hessian: UnsafeMutablePointer<Double>?
    ) {
        let classes = layout.outputs
        let weight = weights?[row] ?? 1
        let factor = weight * Double(classes) / Double(classes - 1)
        let label = Int(target[row])
        gradients.update(from: scores, count: classes)
        Softmax.replace(gradients, count: classes)
        for output in 0..<classes {
            let share = gradients[output]
            gradients[output] = weight * ((output == label ? 1 : 0) - share)
            hessian?[output] = factor * share * (1 - share)
        }
    }

    func loss(_ row: Int, _ scores: UnsafePointer<Double>) -> Double {
        let logTotal = Softmax(scores, count: layout.outputs).logTotal
        return (logTotal - scores[Int(target[row])]) * (weights?[row] ?? 1)
    }
}
