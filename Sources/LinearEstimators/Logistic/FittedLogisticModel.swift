import MetaLearnersCore

/// Probabilities of classes from linear functions of encoded features.
struct FittedLogisticModel: FittedEstimator {
    let warnings: [String]
    let summary: SpecObject
    let encoder: DesignEncoder
    /// Whether each class occurred in training.
    let occurs: [Bool]
    /// For each linear function, one per column.
    let coefficients: [Double]
    /// One for each linear function.
    let intercepts: [Double]
    private let scorer: LinearScorer

    var backendName: String { LogisticEstimator.backend.name }
    var outputCount: Int { occurs.count }

    /// Fits the classes of `task`.
    init(fitting task: TrainingTask, _ spec: LogisticSpec, denseLimit: Int, _ context: ExecutionContext)
        throws(MetaLearnersError)
    {
        let classes = try ClassLabels(task, backend: LogisticEstimator.backend.name)
        var occurs = [Bool](repeating: false, count: classes.classCount)
        for label in classes.present { occurs[Int(label)] = true }
        let encoder = try DesignEncoder(
            task.features, rows: classes.rows, weights: classes.weights, againstReference: false,
            expansion: spec.expansion, context)
        guard classes.present.count > 1 else {
            self.init(
                warnings: ["logistic: only one class occurs in the training rows"], encoder: encoder,
                occurs: occurs, coefficients: [], intercepts: [])
            return
        }
        let features = task.features
        @Sendable func makeLoss(_ classes: ClassLabels) throws(MetaLearnersError) -> any LogisticObjective {
            if SparseRows.serve(features, spec.expansion) {
                return SparseLogisticLoss(
                    try SparseRows(encoder, features, rows: classes.rows, context), classes, l2: 0)
            }
            let design = DesignBlocks(encoder: encoder, features: features, rows: classes.rows)
            return try LogisticLoss(try design.keeping(context), classes, l2: 0)
        }
        let (solution, summary) = try BLASThreads.single { () throws(MetaLearnersError) in
            guard spec.selection == .fixed else {
                let path = try LogisticPath(
                    classes, task, spec, denseLimit: denseLimit, context, make: makeLoss)
                return (path.solution, path.choice.summary("lambda"))
            }
            @Sendable func solve(_ loss: any LogisticObjective, _ l2: Double, from start: DoubleBuffer?)
                throws(MetaLearnersError) -> NewtonSolver.Solution
            {
                loss.l2 = l2
                return try ProximalNewton(
                    loss: loss, l1: spec.l1, maxIterations: spec.maxIterations, tolerance: spec.tolerance,
                    denseLimit: denseLimit
                ).solve(from: start, context)
            }
            guard spec.choosesL2 else {
                return (
                    try solve(makeLoss(classes), spec.l2 ?? UndersmoothedPenalty.standard, from: nil),
                    SpecObject()
                )
            }
            let penalty = try UndersmoothedPenalty(
                classes, task, width: encoder.width, folds: spec.folds, context, solve: solve, make: makeLoss
            ).choice
            return (
                try solve(
                    makeLoss(classes), penalty.penalty ?? UndersmoothedPenalty.standard, from: nil),
                // (The path ends at 1 on purpose.)
                SpecObject(
                    penalty.summary("l2").entries.filter { $0.key != "least_at_end" }.map {
                        ($0.key, $0.value)
                    })
            )
        }
        let functions = classes.present.count == 2 ? 1 : classes.present.count
        var coefficients: [Double] = []
        var intercepts: [Double] = []
        for function in 0..<functions {
            let first = solution.parameters.start + function * (encoder.width + 1)
            coefficients += UnsafeBufferPointer(start: first, count: encoder.width)
            intercepts.append(first[encoder.width])
        }
        guard coefficients.allSatisfy(\.isFinite), intercepts.allSatisfy(\.isFinite) else {
            throw MetaLearnersError(
                .numericalFailure, at: "logistic", "the coefficients overflow", remedy: "raise l2")
        }
        var warnings: [String] = []
        if !solution.converged {
            warnings.append(
                "logistic: not converged after \(solution.iterations) iterations; raise max_iterations or l2")
        }
        self.init(
            warnings: warnings, summary: summary, encoder: encoder, occurs: occurs,
            coefficients: coefficients,
            intercepts: intercepts)
    }

    private init(
        warnings: [String], summary: SpecObject = SpecObject(), encoder: DesignEncoder, occurs: [Bool],
        coefficients: [Double], intercepts: [Double]
    ) {
        self.warnings = warnings
        self.summary = summary
        self.encoder = encoder
        self.occurs = occurs
        self.coefficients = coefficients
        self.intercepts = intercepts
        scorer = LinearScorer(encoder, coefficients: coefficients, intercepts: intercepts)
    }

    func predict(_ features: Table, rows: [Int32]?, _ context: ExecutionContext) throws(MetaLearnersError)
        -> [Double]
    {
        try encoder.requireKinds(of: features)
        let scores = try scorer.scores(features, rows: rows, context)
        let count = rows?.count ?? features.rowCount
        let functions = intercepts.count
        let present = occurs.indices.filter { occurs[$0] }
        let (total, overflow) = count.multipliedReportingOverflow(by: outputCount)
        guard !overflow else { throw MetaLearnersError(.outOfMemory, "there are too many predictions") }
        var probabilities = [Double](repeating: 0, count: total)
        for row in 0..<count {
            let first = row * outputCount
            switch functions {
            case 0: probabilities[first + present[0]] = 1
            case 1:
                probabilities[first + present[0]] = Logistic.shareByMagnitude(-scores[row])
                probabilities[first + present[1]] = Logistic.shareByMagnitude(scores[row])
            default:
                let row = row * functions
                var largest = -Double.infinity
                for function in 0..<functions { largest = max(largest, scores[row + function]) }
                var sum = 0.0
                for function in 0..<functions { sum += Double.exp(scores[row + function] - largest) }
                for function in 0..<functions {
                    probabilities[first + present[function]] =
                        Double.exp(scores[row + function] - largest) / sum
                }
            }
        }
        return probabilities
    }

    func encode(to writer: inout BinaryWriter) {
        encoder.encode(to: &writer)
        writer.write(UInt64(occurs.count))
        for flag in occurs { writer.write(flag) }
        writer.write(coefficients)
        writer.write(intercepts)
        writer.write(warnings)
        writer.write(SpecValue.object(summary).json())
    }

    init(from reader: inout BinaryReader) throws(MetaLearnersError) {
        let encoder = try DesignEncoder(from: &reader)
        let count = try reader.readCount(elementSize: 1)
        var occurs: [Bool] = []
        for _ in 0..<count { occurs.append(try reader.readBool()) }
        let coefficients = try reader.readDoubles()
        let intercepts = try reader.readDoubles()
        let warnings = try reader.readStrings()
        let summary = try SpecObject(summaryFrom: &reader)
        let present = occurs.count { $0 }
        let functions = present == 1 ? 0 : present == 2 ? 1 : present
        let (size, overflow) = functions.multipliedReportingOverflow(by: encoder.width)
        guard occurs.count >= 2, present >= 1, intercepts.count == functions, !overflow,
            coefficients.count == size, intercepts.allSatisfy(\.isFinite), coefficients.allSatisfy(\.isFinite)
        else { throw BinaryReader.corrupt("the coefficients of a logistic model do not fit its classes") }
        self.init(
            warnings: warnings, summary: summary, encoder: encoder, occurs: occurs,
            coefficients: coefficients, intercepts: intercepts)
    }
}
