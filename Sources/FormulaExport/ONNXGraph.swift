import MetaLearnersCore

/// An attribute of a node of ONNX.
enum ONNXAttribute {
    case integer(Int)
    case text(String)
    case integers([Int])
    case texts([String])
    case tensor(ONNXTensor)
}

/// A constant of ONNX.
struct ONNXTensor {
    enum ElementType: Int {
        case uint8 = 2
        case int64 = 7
        case text = 8
        case double = 11
    }

    let type: ElementType
    let shape: [Int]
    let bytes: [UInt8]

    init(_ values: [Double], shape: [Int]? = nil) {
        type = .double
        self.shape = shape ?? [values.count]
        bytes = values.flatMap { littleEndian($0.bitPattern) }
    }

    init(_ values: [Int], shape: [Int]? = nil) {
        type = .int64
        self.shape = shape ?? [values.count]
        bytes = values.flatMap { littleEndian(UInt64(bitPattern: Int64($0))) }
    }

    init(bytes: [UInt8]) {
        type = .uint8
        shape = [bytes.count]
        self.bytes = bytes
    }

    func write(to writer: inout ProtobufWriter, name: String) {
        writer.write(1, packed: shape)
        writer.write(2, type.rawValue)
        writer.write(8, name)
        writer.write(9, bytes)
    }
}

private func littleEndian(_ value: UInt64) -> [UInt8] {
    (0..<8).map { UInt8(truncatingIfNeeded: value >> ($0 * 8)) }
}

/// A graph of ONNX while it is made: nodes, constants, inputs and outputs, each value by its name.
struct ONNXGraph {
    private var nodes = ProtobufWriter()
    private var constants = ProtobufWriter()
    private var values = ProtobufWriter()
    private var count = 0
    /// Names that inputs and outputs have.
    private var taken: Set<String> = []

    /// A name that nothing else has.
    private mutating func newName() -> String {
        while true {
            let name = "v\(count)"
            count += 1
            if !taken.contains(name) { return name }
        }
    }

    /// Declares an input of one value per row; call it before anything else is made.
    mutating func input(_ name: String, _ type: ONNXTensor.ElementType, _ documentation: String) {
        taken.insert(name)
        declare(11, name, type, documentation)
    }

    /// Declares the names of the outputs; call it before any node is made.
    mutating func reserve(_ names: [String]) { taken.formUnion(names) }

    /// Gives a value to the outside under a name that was reserved.
    mutating func output(_ value: String, as name: String) {
        node("Identity", [value], output: name)
        declare(12, name, .double, "")
    }

    private mutating func declare(
        _ field: Int, _ name: String, _ type: ONNXTensor.ElementType, _ documentation: String
    ) {
        values.write(field) { info in
            info.write(1, name)
            info.write(2) { kind in
                kind.write(1) { tensor in
                    tensor.write(1, type.rawValue)
                    tensor.write(2) { shape in
                        shape.write(1) { $0.write(2, "rows") }
                        shape.write(1) { $0.write(1, 1) }
                    }
                }
            }
            if !documentation.isEmpty { info.write(3, documentation) }
        }
    }

    /// A constant, by its name.
    mutating func constant(_ tensor: ONNXTensor) -> String {
        let name = newName()
        constants.write(5) { tensor.write(to: &$0, name: name) }
        return name
    }

    /// A node with one output, by the name of that.
    mutating func node(
        _ operation: String, _ inputs: [String], _ attributes: [(String, ONNXAttribute)] = [],
        isTraditional: Bool = false
    ) -> String {
        let name = newName()
        node(operation, inputs, attributes, isTraditional: isTraditional, output: name)
        return name
    }

    private mutating func node(
        _ operation: String, _ inputs: [String], _ attributes: [(String, ONNXAttribute)] = [],
        isTraditional: Bool = false, output: String
    ) {
        append(operation, inputs, attributes, isTraditional, [output])
    }

    /// A node whose first output is the only one of interest among `outputs`.
    mutating func node(_ operation: String, _ inputs: [String], outputs: Int) -> String {
        let names = (0..<outputs).map { _ in newName() }
        append(operation, inputs, [], false, names)
        return names[0]
    }

    private mutating func append(
        _ operation: String, _ inputs: [String], _ attributes: [(String, ONNXAttribute)],
        _ isTraditional: Bool,
        _ outputs: [String]
    ) {
        nodes.write(1) { node in
            for input in inputs { node.write(1, input) }
            for output in outputs { node.write(2, output) }
            node.write(3, "\(operation)_\(outputs[0])")
            node.write(4, operation)
            for (name, value) in attributes {
                node.write(5) { attribute in
                    attribute.write(1, name)
                    // (The enumeration AttributeType: FLOAT 1, INT 2, STRING 3, TENSOR 4, FLOATS 6, INTS 7, STRINGS 8.)
                    switch value {
                    case .integer(let integer):
                        attribute.write(3, integer)
                        attribute.write(20, 2)
                    case .text(let text):
                        attribute.write(4, text)
                        attribute.write(20, 3)
                    case .tensor(let tensor):
                        attribute.write(5) { tensor.write(to: &$0, name: name) }
                        attribute.write(20, 4)
                    case .integers(let integers):
                        attribute.write(8, packed: integers)
                        attribute.write(20, 7)
                    case .texts(let texts):
                        for text in texts { attribute.write(9, text) }
                        attribute.write(20, 8)
                    }
                }
            }
            if isTraditional { node.write(7, "ai.onnx.ml") }
        }
    }

    /// The whole model.
    ///
    /// - Throws: `unsupported` for more than 2 GiB, which protocol buffers cannot have.
    func model(_ documentation: String, _ metadata: [(String, String)]) throws(MetaLearnersError) -> [UInt8] {
        let size = nodes.bytes.count + constants.bytes.count + values.bytes.count
        guard size < Int(Int32.max) - 1 << 20 else {
            throw MetaLearnersError(.unsupported, at: "onnx", "the file would have more than 2 GiB")
        }
        var graph = nodes.bytes
        var name = ProtobufWriter()
        name.write(2, "metalearners")
        graph += name.bytes + constants.bytes + values.bytes
        var model = ProtobufWriter()
        model.write(1, ONNXExport.irVersion)
        model.write(2, "metalearners")
        model.write(3, Version.current)
        model.write(6, documentation)
        model.write(7, graph)
        for (domain, version) in [("", ONNXExport.opset), ("ai.onnx.ml", ONNXExport.traditionalOpset)] {
            model.write(8) { import_ in
                import_.write(1, domain)
                import_.write(2, version)
            }
        }
        for (key, value) in metadata {
            model.write(14) { entry in
                entry.write(1, key)
                entry.write(2, value)
            }
        }
        return model.bytes
    }
}
