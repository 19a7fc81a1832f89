/// A stack of base learners (Wolpert 1992; van der Laan, Polley & Hubbard 2007): several are fitted, and what they predict of rows held
/// out says how they become one.
///
/// - Classes: σ(a + Σ_j b_j·ℓ_j), where ℓ_j are the members' log-odds of a class beside the first (`LogOddsStack`); of more than two
///   classes by their odds (Begg & Gray 1984).
/// - Numbers: a + Σ_j b_j·z_j with b ≥ 0 (`ConvexStack`).
///
/// Where cross-fitting holds rows out, they are what weights are found from, and each model is fitted once: the weights of a fold's
/// model see the held-out predictions of all other folds (`StackedRun`). `fit` alone holds folds of its own out.
public struct StackEstimator: BaseEstimator {
    /// The name and what a stack of able members can do.
    public static let backend = BackendDescription(
        name: "stack", summary: "several base learners, weighted by rows held out (super learner)",
        version: "1", capabilities: most)

    private static let most: Capabilities = [
        .regression, .binary, .multiclass, .weights, .missingValues, .categoricals, .collective,
    ]

    /// The checked configuration.
    public let spec: StackSpec
    private let ofNumbers: [any BaseEstimator]
    private let ofClasses: [any BaseEstimator]

    /// The backend, with what all members can do.
    public var backend: BackendDescription {
        let own = Self.backend
        guard !ofNumbers.isEmpty else { return own }
        let (numbers, classes) = (Self.common(ofNumbers), Self.common(ofClasses))
        // What is neither for numbers nor for classes alone must hold for whatever is asked.
        let kinds: Capabilities = [.regression, .binary, .multiclass]
        let able = numbers.intersection(classes).subtracting(kinds)
            .union(numbers.intersection(.regression))
            .union(classes.intersection([.binary, .multiclass]))
        return BackendDescription(
            name: own.name, summary: own.summary, version: own.version,
            capabilities: able)
    }

    /// Creates a stack of nothing, which `fit` refuses: members are found in a registry (`init(_:_:at:)`).
    public init(_ spec: StackSpec = StackSpec()) throws(MetaLearnersError) {
        self.spec = try spec.validated()
        ofNumbers = []
        ofClasses = []
    }

    /// Creates a stack whose members a registry has.
    ///
    /// - Throws: `invalidSpec` for an unknown backend, one of its parameters, or a stack within a stack.
    public init(_ spec: StackSpec, _ registry: EstimatorRegistry, at place: SpecPath)
        throws(MetaLearnersError)
    {
        self.spec = try spec.validated(at: place)
        let place = place.appending("members")
        func made(_ choices: [EstimatorChoice]) throws(MetaLearnersError) -> [any BaseEstimator] {
            var members: [any BaseEstimator] = []
            for (index, choice) in choices.enumerated() {
                let place = place.appending("\(index)")
                guard choice.backend != Self.backend.name else {
                    throw place.error("is a stack within a stack", remedy: "list its members instead")
                }
                members.append(try registry.makeEstimator(choice, at: place))
            }
            return members
        }
        ofNumbers = try made(spec.members ?? StackSpec.ofNumbers)
        ofClasses = try spec.members == nil ? made(StackSpec.ofClasses) : ofNumbers
    }

    /// More columns than these have the linear model alone, where the spec leaves the members open: trees would take long to look through
    /// them, and fill them in where they are sparse.
    static let mostColumnsOfTrees = 1000

    /// The members for what is to be predicted, from some features where these are known.
    func members(for objective: TrainingTask.Objective, of features: Table?) -> [any BaseEstimator] {
        let members = if case .classification = objective { ofClasses } else { ofNumbers }
        guard spec.members == nil, let features, features.columns.count > Self.mostColumnsOfTrees else {
            return members
        }
        return Array(members.prefix(1))
    }

    private static func common(_ members: [any BaseEstimator]) -> Capabilities {
        members.reduce(most) { $0.intersection($1.backend.foundCapabilities) }
    }

    /// Fits the members, and finds their weights from folds that are held out.
    ///
    /// - Throws: `unsupported` for an objective that is neither of numbers nor of classes; what members throw.
    /// - Complexity: that of `folds` + 1 fits of each member.
    public func fit(_ task: TrainingTask, _ context: ExecutionContext) throws(MetaLearnersError)
        -> any FittedEstimator
    {
        let members = members(for: task.objective, of: task.features)
        guard !members.isEmpty, StackWeights.supports(task.objective) else {
            throw task.unsupportedObjective(by: Self.backend)
        }
        let rows = task.rows
        let isOfClasses = if case .classification = task.objective { true } else { false }
        let folds = try HeldOutFolds(
            rows, clusters: task.clusters,
            groups: isOfClasses ? rows.map { Int32(task.numbers[Int($0)]) } : nil, count: spec.folds,
            seed: task.seed, task.features.distribution)
        var fold = [Int32](repeating: 0, count: rows.count)
        for (number, range) in folds.ranges.enumerated() {
            for place in folds.order[range] { fold[place] = Int32(number) }
        }
        var parts: [StackPart] = []
        for (number, range) in folds.ranges.enumerated() where folds.ranges.count > 1 {
            try context.checkCancellation()
            guard
                let training = try? task.restricted(
                    to: rows.indices.filter { fold[$0] != number }.map { rows[$0] },
                    seed: RandomStream.derivedSeed(task.seed, UInt64(number)))
            else { continue }
            parts.append(StackPart(heldOut: folds.order[range].map { rows[$0] }, training: training))
        }
        let whole = try task.restricted(
            to: rows, seed: RandomStream.derivedSeed(task.seed, UInt64(folds.ranges.count)))
        var models: [any FittedEstimator] = []
        var predictions: [[Double]] = []
        for member in members {
            try context.checkCancellation()
            let (model, heldOut) = try Self.fit(member, whole, parts, context)
            models.append(model)
            predictions.append(heldOut)
        }
        let weights = try StackWeights(
            predictions, task, rows: parts.flatMap(\.heldOut), leastAdvantage: spec.leastAdvantage)
        return FittedStack(models: models, weights: weights)
    }

    /// A member's model of all rows, and what it predicts of each part's rows by a model that did not see them.
    private static func fit(
        _ member: any BaseEstimator, _ task: TrainingTask, _ parts: [StackPart], _ context: ExecutionContext
    ) throws(MetaLearnersError) -> (model: any FittedEstimator, heldOut: [Double]) {
        var heldOut: [Double] = []
        guard let staged = member as? any StageChoosingEstimator, staged.choosesStages, !parts.isEmpty else {
            for part in parts {
                let model = try member.fit(part.training, context)
                heldOut += try model.predict(task.features, rows: part.heldOut, context)
            }
            return (try member.fit(task, context), heldOut)
        }
        var paths: [JudgedPath] = []
        for part in parts {
            paths.append(try staged.fitPath(part.training, judgedBy: part.heldOut, context))
        }
        let stage = JudgedPath.bestStage(of: paths.map(\.losses))
        for (part, path) in zip(parts, paths) {
            let model =
                path.losses.isEmpty
                ? try staged.fit(part.training, stages: stage, context) : try path.model.truncated(to: stage)
            heldOut += try model.predict(task.features, rows: part.heldOut, context)
        }
        return (try staged.fit(task, stages: stage, context), heldOut)
    }

    private struct StackPart {
        /// Ascending.
        let heldOut: [Int32]
        let training: TrainingTask
    }

    public func requireCollective(_ objective: TrainingTask.Objective) throws(MetaLearnersError) {
        for (index, member) in members(for: objective, of: nil).enumerated() {
            do throws(MetaLearnersError) {
                try member.requireCollective(objective)
            } catch {
                throw MetaLearnersError(
                    error.kind, at: "members.\(index)" + (error.location.map { "." + $0 } ?? ""),
                    error.problem,
                    remedy: error.remedy)
            }
        }
    }

    /// What the largest member takes, and the predictions of all; what members share, such as bins, is counted once a backend.
    public func footprint(rows: Int, of features: Table, for objective: TrainingTask.Objective) -> Footprint {
        let all = members(for: objective, of: features)
        let footprints = all.map { $0.footprint(rows: rows, of: features, for: objective) }
        return Footprint(
            shared: sharedBytes(rows: rows, of: features, for: objective).values.reduce(0, +),
            working: (footprints.map(\.working).max() ?? 0)
                + 16 * rows * all.count * objective.outputCount)
    }

    /// What fits to the same features share, by the backends of the members.
    package func sharedBytes(rows: Int, of features: Table, for objective: TrainingTask.Objective)
        -> [String: Int]
    {
        var shared: [String: Int] = [:]
        for member in members(for: objective, of: features) {
            let bytes = member.footprint(rows: rows, of: features, for: objective).shared
            shared[member.backend.name] = max(shared[member.backend.name] ?? 0, bytes)
        }
        return shared
    }

    /// Reads nothing: what members are of, a registry has to say.
    public static func decode(from reader: inout BinaryReader) throws(MetaLearnersError)
        -> any FittedEstimator
    {
        throw BinaryReader.corrupt("a stack was read without the backends of its members")
    }
}

extension EstimatorRegistry {
    /// The registry with the backend that stacks others of it, those registered later among them.
    public func registering(_: StackEstimator.Type) -> EstimatorRegistry {
        registering(
            Backend(
                description: StackEstimator.backend, parameters: StackSpec().parameterDescriptions,
                make: { value, place, registry throws(MetaLearnersError) in
                    try StackEstimator(StackSpec(value, at: place), registry, at: place)
                },
                decode: { reader, registry throws(MetaLearnersError) in
                    try FittedStack(from: &reader, registry)
                }))
    }
}
