using System.Text;
using Microsoft.Extensions.Configuration;

namespace QueueWorkers.Hosting.Secrets;

/// <summary>
/// Secrets that an orchestrator mounts as files. The variable <c>NAME_FILE</c> names the file that holds the value of
/// the setting <c>NAME</c>; in the directory <c>Secrets:Directory</c> each file counts as the variable of its name.
/// </summary>
public static class SecretFiles
{
    /// <summary>The end of a variable that names a file.</summary>
    public const string Suffix = "_FILE";

    // A mistaken path, such as that of a log, must not fill the memory.
    private const int MostBytes = 64 * 1024;

    private static readonly UTF8Encoding Strict = new(
        encoderShouldEmitUTF8Identifier: false,
        throwOnInvalidBytes: true
    );

    /// <summary>Reads the files once; a changed one holds after a restart.</summary>
    /// <param name="configuration">Has everything else already.</param>
    /// <param name="known">The settings. A variable <c>NAME_FILE</c> whose <c>NAME</c> is none belongs to somebody
    /// else; without a list every name with <c>__</c> is one.</param>
    /// <exception cref="InvalidConfigurationException">A file is missing, empty or cannot be read, or a setting has a
    /// value and a file. With every problem found.</exception>
    public static void AddSecretFiles(this IConfigurationManager configuration, KnownSettings? known)
    {
        var problems = new ConfigurationProblems();
        problems.Collect(() => AddDirectory(configuration, known));
        var values = new Dictionary<string, string?>();
        foreach (var (key, path) in configuration.AsEnumerable().OrderBy(s => s.Key, StringComparer.Ordinal))
        {
            if (!key.EndsWith(Suffix, StringComparison.Ordinal) || string.IsNullOrEmpty(path))
                continue;
            var setting = key[..^Suffix.Length];
            var name = setting.Replace(":", "__", StringComparison.Ordinal);
            if (!IsSetting(name, known))
                continue;
            if (configuration[setting] is { Length: > 0 })
                problems.Require(
                    false,
                    $"{name} and {name}{Suffix} must not both be set, got both; set {name}{Suffix} or {name}, and remove the other"
                );
            else if (Read(path) is var (value, problem) && problem is null)
                values[setting] = value;
            else
                problems.Require(
                    false,
                    $"{name}{Suffix} must name a file with the value of {name}, got '{path}', which {problem}; set {name}{Suffix}"
                );
        }

        configuration.AddInMemoryCollection(values);
        problems.ThrowIfAny();
    }

    private static bool IsSetting(string name, KnownSettings? known) =>
        known?.IsKnown(name) ?? name.Contains("__", StringComparison.Ordinal);

    // What is no setting may be anything, such as a certificate.
    private static void AddDirectory(IConfigurationManager configuration, KnownSettings? known)
    {
        if (configuration["Secrets:Directory"] is not { Length: > 0 } directory)
            return;
        var problems = new ConfigurationProblems();
        var values = new Dictionary<string, string?>();
        try
        {
            foreach (var path in Directory.EnumerateFiles(Path.GetFullPath(directory)))
            {
                var name = Path.GetFileName(path);
                if (name[0] == '.')
                    continue;
                var (value, problem) = Read(path);
                if (problem is null)
                    values[name.Replace("__", ":", StringComparison.Ordinal)] = value;
                else
                    problems.Require(
                        !IsSetting(name, known),
                        $"Secrets:Directory must hold a file with the value of {name}, got '{path}', which {problem}; write the value into it, or remove it"
                    );
            }
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException or ArgumentException)
        {
            problems.Require(
                false,
                $"Secrets:Directory must be a directory of files that user {Environment.UserName} may read, got '{directory}': {fault.Message}; set Secrets__Directory"
            );
        }

        configuration.AddInMemoryCollection(values);
        problems.ThrowIfAny();
    }

    // The value, or what is wrong with the file. A line feed at the end is an editor's and not the secret's.
    private static (string? Value, string? Problem) Read(string path)
    {
        try
        {
            if (Directory.Exists(path))
                return (null, "is a directory");
            using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
            var bytes = new byte[MostBytes + 1];
            var length = file.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
            if (length > MostBytes)
                return (null, $"has more than {MostBytes / 1024} KiB");
            var text = Strict.GetString(bytes, 0, length).TrimStart('\uFEFF');
            text = text.EndsWith("\r\n", StringComparison.Ordinal) ? text[..^2] : text.TrimSuffix('\n');
            return text.Length == 0 ? (null, "is empty")
                : text.Contains('\0', StringComparison.Ordinal) ? (null, "contains NUL")
                : (text, null);
        }
        catch (Exception fault) when (fault is FileNotFoundException or DirectoryNotFoundException)
        {
            return (null, "does not exist");
        }
        catch (UnauthorizedAccessException)
        {
            return (null, $"user {Environment.UserName} may not read");
        }
        catch (DecoderFallbackException)
        {
            return (null, "is not UTF-8");
        }
        catch (IOException fault)
        {
            return (null, $"cannot be read: {fault.Message}");
        }
    }

    private static string TrimSuffix(this string text, char end) =>
        text.Length > 0 && text[^1] == end ? text[..^1] : text;
}
