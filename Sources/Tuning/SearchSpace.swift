import MetaLearners
import MetaLearnersCore

/// The settings of the base learners that are tried: for each role one backend or several, each with values and ranges.
public struct SearchSpace: Sendable, Equatable {
    /// A role of the spec's section `models`.
    public enum Role: String, Sendable, CaseIterable {
        case outcome, propensity, effect
    }

    /// The backends of each role; a role that is not there keeps the spec's own model.
    public var roles: [Role: [BackendSpace]] = [:]

    /// A space of one point: the spec's own models.
    public init() {}

    /// Reads `{outcome: …, propensity: …, effect: …}`.
    ///
    /// - Throws: `invalidSpec`.
    public init(_ value: SpecValue, at place: SpecPath) throws(MetaLearnersError) {
        if value == .null { return }
        guard let object = value.objectValue else {
            throw place.error("must be a mapping of roles, not \(value.kindName)")
        }
        for (key, entry) in object.entries where entry != .null {
            guard let role = Role(rawValue: key) else {
                throw place.appending(key).error(
                    "unknown key",
                    remedy: SpellingSuggestion.clause(forName: key, in: Role.allCases.map(\.rawValue)))
            }
            var spaces: [BackendSpace] = []
            if let list = entry.arrayValue {
                guard !list.isEmpty else { throw place.appending(key).error("has no backend") }
                for (index, entry) in list.enumerated() {
                    spaces.append(try BackendSpace(entry, at: place.appending("\(key)[\(index)]")))
                }
            } else {
                spaces.append(try BackendSpace(entry, at: place.appending(key)))
            }
            roles[role] = spaces
        }
    }

    /// The space as a spec has it.
    public var specValue: SpecValue {
        .object(
            SpecObject(
                Role.allCases.compactMap { role in
                    roles[role].map { (role.rawValue, .array($0.map(\.specValue))) }
                }))
    }
}

/// The settings of one backend.
public struct BackendSpace: Sendable, Equatable {
    /// The backend; nil for that of the spec, whose parameters hold where the space has none.
    public var backend: String?
    /// The parameters with what they may be.
    public var parameters: [(name: String, values: ParameterSpace)]

    /// Creates a space.
    public init(_ backend: String?, _ parameters: [(name: String, values: ParameterSpace)] = []) {
        self.backend = backend
        self.parameters = parameters
    }

    /// Reads `NAME` or `{backend: NAME, PARAMETER: …}`.
    ///
    /// - Throws: `invalidSpec`.
    init(_ value: SpecValue, at place: SpecPath) throws(MetaLearnersError) {
        if let name = value.stringValue {
            self.init(name)
            return
        }
        guard let object = value.objectValue else {
            throw place.error("must be a backend with its parameters, not \(value.kindName)")
        }
        var backend: String?
        if let given = object["backend"] {
            guard let name = given.stringValue else {
                throw place.appending("backend").error(
                    "must be text, not \(given.kindName)", remedy: "several backends are a list of mappings")
            }
            backend = name
        }
        var parameters: [(name: String, values: ParameterSpace)] = []
        for (key, entry) in object.entries where key != "backend" {
            parameters.append((key, try ParameterSpace(entry, at: place.appending(key))))
        }
        self.init(backend, parameters)
    }

    var specValue: SpecValue {
        .object(
            SpecObject(
                (backend.map { [("backend", SpecValue.string($0))] } ?? [])
                    + parameters.map { ($0.name, $0.values.specValue) }))
    }

    public static func == (left: BackendSpace, right: BackendSpace) -> Bool {
        left.backend == right.backend && left.parameters.elementsEqual(right.parameters) { $0 == $1 }
    }

    /// How many numbers of a point of the unit cube decide a setting.
    var dimension: Int { parameters.count { $0.values.isVaried } }

    /// How many combinations of the values there are; nil for more than can be counted. (Ranges count all their points.)
    var gridCount: Int? {
        var count = 1
        for (_, values) in parameters {
            let own: Int
            switch values {
            case .values(let list): own = list.count
            case .range(let range): own = range.points
            }
            let (product, overflow) = count.multipliedReportingOverflow(by: own)
            guard !overflow else { return nil }
            count = product
        }
        return count
    }

    /// Every combination of the values.
    var grid: [SpecObject] {
        var settings = [setting([])]
        for (name, values) in parameters {
            settings = settings.flatMap { setting in
                values.grid.map { value in
                    var next = setting
                    next[name] = value
                    return next
                }
            }
        }
        return settings
    }

    /// The setting at a point of the unit cube.
    func setting(_ point: some Collection<Double>) -> SpecObject {
        var object = SpecObject()
        if let backend { object["backend"] = .string(backend) }
        var coordinates = point.makeIterator()
        for (name, values) in parameters {
            object[name] = values.value(at: values.isVaried ? coordinates.next() ?? 0 : 0)
        }
        return object
    }
}

/// What a parameter may be.
public enum ParameterSpace: Sendable, Equatable {
    /// One of these, each equally likely.
    case values([SpecValue])
    /// A number within bounds.
    case range(ParameterRange)

    /// Reads a value, a list of values, or a range `{low: …, high: …, log: true, integer: true, points: 5}`.
    ///
    /// - Throws: `invalidSpec`.
    init(_ value: SpecValue, at place: SpecPath) throws(MetaLearnersError) {
        if let list = value.arrayValue {
            guard !list.isEmpty else { throw place.error("has no value") }
            self = .values(list)
        } else if let object = value.objectValue, object["low"] != nil || object["high"] != nil {
            self = .range(try ParameterRange(value, at: place))
        } else {
            self = .values([value])
        }
    }

    var specValue: SpecValue {
        switch self {
        case .values(let list): .array(list)
        case .range(let range): range.specValue
        }
    }

    /// Whether there is more than one value.
    var isVaried: Bool { if case .values(let list) = self { list.count > 1 } else { true } }

    /// The values of a grid.
    var grid: [SpecValue] {
        switch self {
        case .values(let list): return list
        case .range(let range):
            var values: [SpecValue] = []
            for index in 0..<range.points {
                let value = range.value(
                    at: range.points == 1 ? 0.5 : Double(index) / Double(range.points - 1))
                if values.last != value { values.append(value) }
            }
            return values
        }
    }

    /// The value at a number from 0 to below 1.
    func value(at share: Double) -> SpecValue {
        switch self {
        case .values(let list): list[min(Int(share * Double(list.count)), list.count - 1)]
        case .range(let range): range.value(at: share)
        }
    }
}

/// A number within bounds.
public struct ParameterRange: ParameterizedSpec {
    public var low = Double.nan
    public var high = Double.nan
    /// Whether equal factors are equally likely, rather than equal differences.
    public var isLogarithmic = false
    /// Whether values are integers.
    public var isInteger = false
    /// How many values a grid has.
    public var points = 5

    public init() {}

    public static let parameters: [Parameter<ParameterRange>] = [
        .number(
            "low", \.low, in: -Double.greatestFiniteMagnitude...Double.greatestFiniteMagnitude, "least value"),
        .number(
            "high", \.high, in: -Double.greatestFiniteMagnitude...Double.greatestFiniteMagnitude,
            "greatest value"),
        .boolean("log", \.isLogarithmic, "equal factors are equally likely"),
        .boolean("integer", \.isInteger, "integers alone"),
        .integer("points", \.points, in: 1...1000, "values in a grid"),
    ]

    public func check(at place: SpecPath) throws(MetaLearnersError) {
        guard low.isFinite, high.isFinite else {
            throw place.error("needs low and high", remedy: "write {low: 0.01, high: 10, log: true}")
        }
        guard low < high else { throw place.error("low is \(low), must be below high, which is \(high)") }
        guard !isLogarithmic || low > 0 else {
            throw place.appending("low").error("is \(low), must be above 0 with log: true")
        }
        guard !isInteger || abs(low) < 1e15 && abs(high) < 1e15 else {
            throw place.error("has integers beyond ±10¹⁵")
        }
        guard !isInteger || low.rounded(.up) <= high.rounded(.down) else {
            throw place.error(
                "has no integer between \(low) and \(high)", remedy: "widen it, or leave integer out")
        }
    }

    /// The value at a number from 0 to 1.
    func value(at share: Double) -> SpecValue {
        // An integer has as much room as any other: from half below to half above it.
        let (low, high) =
            isInteger && !isLogarithmic
            ? (self.low.rounded(.up) - 0.5, self.high.rounded(.down) + 0.5) : (low, high)
        var value =
            isLogarithmic
            ? .exp(.log(low) + share * (.log(high) - .log(low))) : low + share * (high - low)
        value = min(max(value, self.low), self.high)
        guard isInteger else { return .number(value) }
        let least = self.low.rounded(.up)
        return .integer(Int(max(least, min(value.rounded(), max(least, self.high.rounded(.down))))))
    }
}
