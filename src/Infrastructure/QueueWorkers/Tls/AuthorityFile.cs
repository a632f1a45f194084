using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace QueueWorkers.Tls;

/// <summary>A PEM file with the certificates of private authorities. It may have several: the old and the new one.</summary>
public static class AuthorityFile
{
    /// <summary>What is wrong with a file that a setting names; null when it has certificates, or none is
    /// named.</summary>
    public static string? ProblemWith(string? file)
    {
        if (string.IsNullOrEmpty(file))
            return null;
        var found = Read(file, out var problem);
        foreach (var certificate in found)
            certificate.Dispose();
        return problem;
    }

    /// <summary>Reads it. The caller disposes of the certificates.</summary>
    /// <param name="file">The path.</param>
    /// <param name="problem">Why there is none; null when there are some.</param>
    internal static X509Certificate2Collection Read(string file, out string? problem)
    {
        var authorities = new X509Certificate2Collection();
        problem = null;
        try
        {
            authorities.ImportFromPemFile(file);
        }
        catch (Exception exception)
            when (exception is IOException or UnauthorizedAccessException or CryptographicException)
        {
            problem = exception.Message;
        }

        if (problem is null && authorities.Count == 0)
            problem = "no certificate";
        return authorities;
    }
}
