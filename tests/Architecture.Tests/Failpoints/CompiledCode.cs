using System.Reflection.Emit;
using System.Reflection.Metadata;
using System.Reflection.Metadata.Ecma335;
using System.Reflection.PortableExecutable;

namespace Orders.Architecture.Tests.Failpoints;

/// <summary>A call as it stands in compiled code.</summary>
/// <param name="Type">Full name of the type that declares the called method.</param>
/// <param name="Method">Its name.</param>
/// <param name="Text">The last text that was loaded before the call; a failpoint's name is its first argument.</param>
internal sealed record CompiledCall(string Type, string Method, string? Text);

/// <summary>
/// A method as the author wrote it: what the compiler made of its awaits and lambdas is counted to it.
/// </summary>
/// <param name="Type">Full name of its type.</param>
/// <param name="Name">Its name.</param>
/// <param name="Calls">The calls in it.</param>
internal sealed record CompiledMethod(string Type, string Name, IReadOnlyList<CompiledCall> Calls)
{
    public override string ToString() => $"{Type}.{Name}";
}

/// <summary>Reads the calls that an assembly's methods make, from its file; nothing of it is loaded or run.</summary>
internal static class CompiledCode
{
    private static readonly Dictionary<int, OpCode> OpCodesByValue = typeof(OpCodes)
        .GetFields()
        .Select(f => (OpCode)f.GetValue(null)!)
        .ToDictionary(o => o.Value & 0xffff);

    /// <summary>The methods of an assembly.</summary>
    /// <param name="path">Its file.</param>
    public static IReadOnlyList<CompiledMethod> MethodsOf(string path)
    {
        using var file = new PEReader(File.OpenRead(path));
        var metadata = file.GetMetadataReader();
        return
        [
            .. metadata
                .MethodDefinitions.Select(metadata.GetMethodDefinition)
                .Where(m => m.RelativeVirtualAddress != 0)
                .Select(m =>
                    (
                        Written: WrittenAs(metadata, m),
                        Calls: CallsOf(metadata, file.GetMethodBody(m.RelativeVirtualAddress))
                    )
                )
                .GroupBy(m => m.Written)
                .Select(g => new CompiledMethod(g.Key.Type, g.Key.Name, [.. g.SelectMany(m => m.Calls)])),
        ];
    }

    // "Send" is compiled to Step.<Send>d__3.MoveNext when it awaits, and a lambda in it to Step.<Send>b__3_0 or
    // Step.<>c__DisplayClass3_0.<Send>b__0.
    private static (string Type, string Name) WrittenAs(MetadataReader metadata, MethodDefinition method)
    {
        var name = metadata.GetString(method.Name);
        var type = metadata.GetTypeDefinition(method.GetDeclaringType());
        while (metadata.GetString(type.Name).StartsWith('<') && !type.GetDeclaringType().IsNil)
        {
            if (!name.StartsWith('<'))
                name = metadata.GetString(type.Name);
            type = metadata.GetTypeDefinition(type.GetDeclaringType());
        }

        var end = name.IndexOf('>', StringComparison.Ordinal);
        return (NameOf(metadata, type), name.StartsWith('<') && end > 1 ? name[1..end] : name);
    }

    private static string NameOf(MetadataReader metadata, TypeDefinition type) =>
        type.GetDeclaringType().IsNil
            ? $"{metadata.GetString(type.Namespace)}.{metadata.GetString(type.Name)}"
            : $"{NameOf(metadata, metadata.GetTypeDefinition(type.GetDeclaringType()))}.{metadata.GetString(type.Name)}";

    private static List<CompiledCall> CallsOf(MetadataReader metadata, MethodBodyBlock body)
    {
        var calls = new List<CompiledCall>();
        string? text = null;
        var il = body.GetILReader();
        while (il.RemainingBytes > 0)
        {
            int value = il.ReadByte();
            if (value == 0xfe)
                value = 0xfe00 | il.ReadByte();
            var code = OpCodesByValue[value];
            switch (code.OperandType)
            {
                case OperandType.InlineString:
                    text = metadata.GetUserString((UserStringHandle)MetadataTokens.Handle(il.ReadInt32()));
                    break;
                case OperandType.InlineMethod:
                    if (Called(metadata, MetadataTokens.EntityHandle(il.ReadInt32())) is var (type, name))
                        calls.Add(new CompiledCall(type, name, text));
                    break;
                case OperandType.InlineSwitch:
                    var targets = il.ReadInt32();
                    il.Offset += 4 * targets;
                    break;
                default:
                    il.Offset += SizeOf(code.OperandType);
                    break;
            }
        }

        return calls;
    }

    private static (string Type, string Name) Called(MetadataReader metadata, EntityHandle handle)
    {
        switch (handle.Kind)
        {
            case HandleKind.MethodSpecification:
                return Called(metadata, metadata.GetMethodSpecification((MethodSpecificationHandle)handle).Method);
            case HandleKind.MethodDefinition:
                var method = metadata.GetMethodDefinition((MethodDefinitionHandle)handle);
                return (
                    NameOf(metadata, metadata.GetTypeDefinition(method.GetDeclaringType())),
                    metadata.GetString(method.Name)
                );
            default:
                var reference = metadata.GetMemberReference((MemberReferenceHandle)handle);
                return (NameOf(metadata, reference.Parent), metadata.GetString(reference.Name));
        }
    }

    private static string NameOf(MetadataReader metadata, EntityHandle type)
    {
        switch (type.Kind)
        {
            case HandleKind.TypeReference:
                var reference = metadata.GetTypeReference((TypeReferenceHandle)type);
                return $"{metadata.GetString(reference.Namespace)}.{metadata.GetString(reference.Name)}";
            case HandleKind.TypeDefinition:
                return NameOf(metadata, metadata.GetTypeDefinition((TypeDefinitionHandle)type));
            default:
                // Members of generic types (lists, tasks): none of them is a call to the outside.
                return type.Kind.ToString();
        }
    }

    private static int SizeOf(OperandType operand) =>
        operand switch
        {
            OperandType.InlineNone => 0,
            OperandType.ShortInlineBrTarget or OperandType.ShortInlineI or OperandType.ShortInlineVar => 1,
            OperandType.InlineVar => 2,
            OperandType.InlineI8 or OperandType.InlineR => 8,
            _ => 4,
        };
}
