// Holds PDF files against PDF/A-3b by veraPDF: a line for each rule broken, `file: clause: message`,
// and a last one that counts what was looked at.

import java.io.FileInputStream;
import org.verapdf.gf.foundry.VeraGreenfieldFoundryProvider;
import org.verapdf.pdfa.Foundries;
import org.verapdf.pdfa.PDFAParser;
import org.verapdf.pdfa.flavours.PDFAFlavour;
import org.verapdf.pdfa.results.TestAssertion;
import org.verapdf.pdfa.results.ValidationResult;

public class PdfCheck {
    public static void main(String[] files) throws Exception {
        VeraGreenfieldFoundryProvider.initialise();
        PDFAFlavour flavour = PDFAFlavour.PDFA_3_B;
        int looked = 0;
        for (String file : files) {
            try (PDFAParser parser = Foundries.defaultInstance().createParser(new FileInputStream(file), flavour)) {
                ValidationResult found = Foundries.defaultInstance().createValidator(flavour, false).validate(parser);
                looked += found.getTotalAssertions();
                for (TestAssertion one : found.getTestAssertions()) {
                    if (one.getStatus() == TestAssertion.Status.FAILED) {
                        System.out.println(file + ": " + one.getRuleId().getClause() + ": " + one.getMessage());
                    }
                }
            }
        }
        System.out.println(looked);
    }
}
